"""Codes that no operation declares: those of every service, and those of the two services whose models list none."""

# API references: Common error types.
COMMON = set(
    """
    AccessDenied AccessDeniedException ExpiredTokenException IncompleteSignature InternalFailure InternalServerError
    InvalidAction InvalidClientTokenId InvalidParameterCombination InvalidParameterValue InvalidQueryParameter
    InvalidSignatureException MalformedHttpRequestException MalformedQueryString MissingAction
    MissingAuthenticationToken MissingParameter NotAuthorized OptInRequired RequestAbortedException
    RequestEntityTooLargeException RequestExpired ServiceUnavailable SignatureDoesNotMatch Throttling
    ThrottlingException UnknownOperationException UnrecognizedClientException ValidationError ValidationException
    """.split()
)

# EC2 API reference: Error codes for the Amazon EC2 API.
EC2 = set(
    """
    AuthFailure CannotDelete CidrConflict DependencyViolation DryRunOperation Gateway.NotAttached IncorrectInstanceState
    IncorrectState InsufficientFreeAddressesInSubnet InvalidAMIID.Malformed InvalidAMIID.NotFound InvalidAddress.NotFound
    InvalidAllocationID.NotFound InvalidAssociationID.NotFound InvalidGroup.Duplicate InvalidGroup.InUse
    InvalidGroup.NotFound InvalidGroupId.Malformed InvalidID InvalidIPAddress.InUse InvalidInstanceAttributeValue
    InvalidInstanceID.Malformed InvalidInstanceID.NotFound InvalidInstanceType InvalidInternetGatewayID.NotFound
    InvalidKeyPair.NotFound InvalidNetworkAclEntry.NotFound InvalidNetworkAclID.NotFound InvalidNetworkInterfaceID.NotFound
    InvalidParameter InvalidParameterDependency InvalidPermission.Duplicate InvalidPermission.Malformed
    InvalidPermission.NotFound InvalidRoute.NotFound InvalidRouteTableID.NotFound InvalidRouteTableId.Malformed
    InvalidSecurityGroupID.NotFound InvalidSubnet InvalidSubnet.Conflict InvalidSubnet.Range InvalidSubnetID.Malformed
    InvalidSubnetID.NotFound InvalidVpc.Range InvalidVpcID.Malformed InvalidVpcID.NotFound InvalidVpcId.Malformed
    NatGatewayMalformed NatGatewayNotFound NetworkAclEntryAlreadyExists OperationNotPermitted RequestLimitExceeded
    Resource.AlreadyAssociated RouteAlreadyExists RulesPerSecurityGroupLimitExceeded TagLimitExceeded
    UnauthorizedOperation UnknownParameter Unsupported UnsupportedOperation VpcLimitExceeded InvalidInstanceID
    InvalidGroup.Reserved InvalidRoute.Malformed InvalidNextToken InvalidPaginationToken InvalidAvailabilityZone
    InvalidParameterValue InvalidInput InternetGatewayLimitExceeded AddressLimitExceeded
    """.split()
)

# ELB guide, https-listener-certificates: what a certificate that cannot be used is refused with; its model lists it nowhere.
ELBV2 = {"UnsupportedCertificate"}

# S3 API reference: Error responses.
S3 = set(
    """
    AccessControlListNotSupported AccessDenied BadDigest BadRequest BucketAlreadyExists BucketAlreadyOwnedByYou
    BucketNotEmpty ConditionalRequestConflict EntityTooLarge EntityTooSmall IllegalLocationConstraintException
    IncompleteBody InternalError InvalidAccessKeyId InvalidArgument InvalidBucketAclWithObjectOwnership InvalidBucketName
    InvalidBucketState InvalidDigest InvalidLocationConstraint InvalidPart InvalidPartOrder InvalidRange InvalidRequest
    InvalidTag InvalidURI KeyTooLongError MalformedACLError MalformedPolicy MalformedXML MetadataTooLarge
    MethodNotAllowed MissingContentLength NoSuchBucket NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchKey
    NoSuchLifecycleConfiguration NoSuchPublicAccessBlockConfiguration NoSuchTagSet NoSuchUpload NoSuchVersion
    NoSuchWebsiteConfiguration NotImplemented NotModified OwnershipControlsNotFoundError PreconditionFailed
    RequestTimeTooSkewed RequestTimeout ServerSideEncryptionConfigurationNotFoundError SignatureDoesNotMatch SlowDown
    XAmzContentSHA256Mismatch
    """.split()
)
