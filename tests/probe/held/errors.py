"""Refusals: in the form of their protocol, with a code that the operation or every service knows, and its status."""

import json
from xml.etree import ElementTree

from . import cbor_answer as cbor
from .known import COMMON, EC2, ELBV2, S3


def look(protocol, operation, status, response):
    """What is wrong with a refusal."""
    try:
        code, found = READ[protocol](operation, response)
    except (ValueError, ElementTree.ParseError) as why:
        return [f"the error cannot be read: {why}"]
    if not code:
        return found + ["the error has no code"]
    return found + known(operation, code, status)


def known(operation, code, status):
    """Whether the code is one that AWS documents for it."""
    name = operation.service_model.service_name
    for shape in operation.error_shapes:
        declared = shape.metadata.get("error", {})
        if code in (declared.get("code"), shape.name) or code == shape.error_code:
            wanted = declared.get("httpStatusCode")
            return [f"{code} has the status {status}, not {wanted}"] if wanted and wanted != status else []
    beside = {"ec2": EC2, "s3": S3, "elbv2": ELBV2}.get(name, set())
    if code in COMMON or code in beside:
        return []
    return [f"the operation declares no error {code}"]


def query(operation, response):
    root = ElementTree.fromstring(response["body"])
    found = [] if plain(root) == "ErrorResponse" else [f"the error's root is {plain(root)}, not ErrorResponse"]
    if not root.findtext("{*}RequestId"):
        found.append("the error has no RequestId")
    return root.findtext("{*}Error/{*}Code"), found


def ec2(_, response):
    root = ElementTree.fromstring(response["body"])
    found = [] if plain(root) == "Response" else [f"the error's root is {plain(root)}, not Response"]
    if not root.findtext("RequestID"):
        found.append("the error has no RequestID")
    return root.findtext("Errors/Error/Code"), found


def rest(operation, response):
    root = ElementTree.fromstring(response["body"])
    if operation.service_model.service_name == "s3":
        found = [] if plain(root) == "Error" else [f"the error's root is {plain(root)}, not Error"]
        return root.findtext("Code"), found
    if plain(root) == "InvalidChangeBatch":
        return "InvalidChangeBatch", []
    return query(operation, response)


def coded(_, response):
    body = json.loads(response["body"])
    code = body.get("__type") or response["headers"].get("x-amzn-errortype") or ""
    # A service that once spoke the query protocol tells its old code beside.
    asked = response["headers"].get("x-amzn-query-error", "").partition(";")[0]
    return asked or code.partition(":")[0].rpartition("#")[2], []


def in_cbor(operation, response):
    code = cbor.read(response["body"]).get("__type") or ""
    asked = response["headers"].get("x-amzn-query-error", "").partition(";")[0]
    return asked or code.rpartition("#")[2], []


def plain(root):
    return root.tag.rpartition("}")[2]


READ = {"query": query, "ec2": ec2, "rest-xml": rest, "json": coded, "smithy-rpc-v2-cbor": in_cbor}
