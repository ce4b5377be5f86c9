"""Secrets Manager, as far as it is read."""

from ask import of, refused, same

about = of("SECRET", "Secrets Manager API")


@about("a secret that is not there: ResourceNotFoundException", "GetSecretValue, DescribeSecret")
def _(a):
    gone = a.name("secret")
    refused("ResourceNotFoundException", lambda: a.secretsmanager.get_secret_value(SecretId=gone))
    refused("ResourceNotFoundException", lambda: a.secretsmanager.describe_secret(SecretId=gone))


@about("an ARN of a secret that is not there: ResourceNotFoundException", "GetSecretValue")
def _(a):
    gone = f"arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:{a.name()}-AbCdEf"
    refused("ResourceNotFoundException", lambda: a.secretsmanager.get_secret_value(SecretId=gone))


@about("a secret's name must be given", "GetSecretValue")
def _(a):
    refused(("ValidationException", "InvalidParameterException"), lambda: a.secretsmanager.get_secret_value())


@about("no secret has the name nobody has", "ListSecrets")
def _(a):
    got = a.secretsmanager.list_secrets(Filters=[{"Key": "name", "Values": [a.name()]}])
    same(got["SecretList"], [])


@about("more than 100 secrets a page are refused", "ListSecrets")
def _(a):
    refused(("ValidationException", "InvalidParameterException"), lambda: a.secretsmanager.list_secrets(MaxResults=101))
