"""The names of fields, and what kinds of observables each may hold: where indicators are looked for.

The table knows no kinds of logs: a name means the same wherever it stands, and what its values are is found out from
the values. `text` is free text in which observables stand as words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from tocsin.model.indicator import ObservableType

Holds: TypeAlias = Literal["place", "url", "hash", "mail", "file", "account", "key", "agent", "text"]

# Addresses and names of hosts stand in the same fields, and URLs where a log writes one for the other.
_PLACES: Final = """
    SourceIp DestinationIp SourceAddress DestAddress DestinationAddress IpAddress ClientAddress ClientIP ClientIp
    ClientIPAddress Client_IPAddress Client_Address IPAddress IPString SourceIPAddress DestinationIPAddress
    DestinationIPString SourceHostname DestinationHostname DestinationHost SourceHost QueryName QueryResults
    DnsServerIpAddress DNSServer Workstation WorkstationName RemoteHost RemoteName RemoteAddress LocalAddress
    LocalIP RemoteIP RemoteIPAddress LocalIPAddress ActorIpAddress CallerIpAddress callerIpAddress ipAddress IPAddresses
    NetworkAddress ServerName TargetServerName DestinationDeviceName FQDN
    sourceIPAddress sourceIPs sourceIPs{} src_ip dst_ip srcip dstip src_addr dst_addr SrcIP DstIP SourceIP
    DestinationIP src dst source_ip destination_ip dest_ip ip client_ip clientip server_ip remote_addr remote_ip
    remip locip tranip transip nat_src_ip nat_dst_ip src_host dst_host srchost dsthost shost dhost sip dip
    c-ip s-ip cs-ip r-ip s-computername cs-host r-host r-dns c-host x-forwarded-for X-Forwarded-For cs-x-forwarded-for
    x_forwarded_for remote_host virtual_host vhost http_host
    id.orig_h id.resp_h id_orig_h id_resp_h tx_hosts rx_hosts query answer answers resolved rrname rdata qname record
    record_value domain hostname host dest_host server_name san.dns client_addr assigned_addr requested_addr
    dns.rrname dns.rdata dns.answers dns.answers.rdata dns.grouped.A dns.grouped.AAAA dns.grouped.CNAME dns.query.rrname
    http.hostname http.xff tls.sni tls.subject quic.sni flow.src_ip flow.dest_ip
    client.ipAddress request.ipChain.ip client.ip access_device.ip auth_device.ip actor_ip actorIp ipaddr
    protoPayload.requestMetadata.callerIp gcp.audit.request_metadata.caller_ip gcp.audit.requestMetadata.callerIp
    requestMetadata.callerIp RawEventData.ClientIP RawEventData.ClientIPAddress rawData.ClientIP rawData.ClientIPAddress
    properties.ipAddress properties.clientIp httpRequest.clientIpAddress HttpRequest.clientIpAddress
    requestParameters.ipAddress requestParameters.cidrIp requestParameters.Host original_client_ip client_hostname
    server_hostname client-ip server-ip original-client-ip sender_ip SenderIP FromIP ToIP connecting_ip relay
    src_host_ip logdata.REMOTE_ADDRESS geo.ip addr hostname_ip a_record
    gaddr src_mapped_ip dst_mapped_ip sourceTranslatedAddress destinationTranslatedAddress c6a1 c6a2 c6a3 natsrc natdst
    public_ip private_ip admin_host cloud HostIP fromIP toIP original_server_ip original-server-ip client-hostname
    server-hostname helo lip rip relay_ip s-supplier-name s-supplier-ip s-hostname x-host-header client server zone
    rpz_zone source ip_address inner_SRC inner_DST event.openssh_login.source_address
    ClientIpAddress UrlHost TargetServer RemoteUrl SenderIPv4 SenderIPv6
    nh nhb sa da srcaddr dstaddr pkt-srcaddr pkt-dstaddr
    properties.initiatedBy.user.ipAddress initiatedBy.user.ipAddress clientIp origin@32473.ip source.ip destination.ip
    resource.instanceDetails.networkInterfaces.privateIpAddress resource.instanceDetails.networkInterfaces.publicIp
""".split()
_URLS: Final = """
    c-uri cs-uri cs-uri-stem cs-referrer cs-referer Referer referrer referer url Url URL uri request_url full_url
    http.url http.http_refer http.redirect destinationUrl DestinationUrl TargetUrl TargetURL TargetUrlString
    UrlStem UrlQuery alertWebUrl
    UrlOriginal c-uri-query cs-url requestUrl ObjectId SourceUrl FileOriginUrl FileOriginReferrerUrl remoteName BitsUrl
""".split()
_HASHES: Final = """
    Hashes Hash hash Imphash imphash md5 sha1 sha256 sha512 MD5 SHA1 SHA256 SHA512 InitiatingProcessMD5
    InitiatingProcessSHA1 InitiatingProcessSHA256 FileHash file_hash filehash Sha1 Sha256 Md5 fileinfo.md5
    fileinfo.sha1 fileinfo.sha256 files.sha256 tls.fingerprint cert_chain_fps cert_chain_fuids fingerprint Contents
    FileSha256 FileMd5 filedigest threat_hash SHA1_Hash ParentHashes ja3 ja3s tls.ja3.hash tls.ja3s.hash
    ja4 ja4s tls.ja4 quic.ja4
""".split()
_MAILS: Final = """
    sender recipient recipients from to mailfrom rcptto from_address to_address SenderAddress RecipientAddress Sender
    Recipient Recipients sender-address recipient-address return-path reply_to P1Sender P2Sender SenderFromAddress
    SenderMailFromAddress RecipientEmailAddress ForwardingSmtpAddress ForwardTo RedirectTo orig_to smtp.mail_from
    smtp.rcpt_to email.from email.to actor.email email actor.alternateId target.alternateId UserId UserId_
    RawEventData.UserId rawData.UserId userPrincipalName UserPrincipalName AccountUpn InitiatingProcessAccountUpn
    InitiatedBy.user.userPrincipalName InitiatedBy_user_userPrincipalName properties.initiatedBy principalEmail
    protoPayload.authenticationInfo.principalEmail
    gcp.audit.authentication_info.principal_email MailboxOwnerUPN caller Caller
    senderAddress recipientAddress sender_address recipient_address return_path user_email sasl_username
    UserKey Username
    properties.userPrincipalName properties.initiatedBy.user.userPrincipalName Initiatedby Initiatied.By
    Parameters.Value events.parameters.value
""".split()
_FILES: Final = """
    Image ParentImage SourceImage TargetImage NewProcessName ParentProcessName ProcessName CallerProcessName
    ImageLoaded ImagePath TargetFilename TargetFileName FileName Filename filename file_name file ObjectName
    RelativeTargetName OriginalFileName OriginalName Path path FilePath file_path FolderPath Application PipeName
    exe comm name fileinfo.filename SourceFile SourceFilename SourceFileName ProcessPath SourceFileExtension
    InitiatingProcessFileName InitiatingProcessFolderPath InitiatingProcessParentFileName attachment attachments
    TargetProcess Process process Device
""".split()
_ACCOUNTS: Final = """
    User SourceUser TargetUser ParentUser TargetUserName SubjectUserName TargetOutboundUserName AccountName
    SamAccountName user username user_name cs-username src_user dst_user srcuser dstuser acct auid_name TargetUserSid
    SubjectUserSid TargetSid MemberSid MemberName LogonUser UserName account UserSid SecurityID
    userIdentity.userName userIdentity.arn userIdentity.principalId user.username actor
""".split()
_KEYS: Final = "TargetObject ObjectName RegistryKey registry_key Details NewName".split()
_AGENTS: Final = """
    c-useragent cs-user-agent cs-useragent cs(User-Agent) user_agent UserAgent userAgent useragent http.http_user_agent
    client.userAgent.rawUserAgent http_user_agent requestMetadata.callerSuppliedUserAgent
    protoPayload.requestMetadata.callerSuppliedUserAgent ClientAppUsed
""".split()
_TEXTS: Final = """
    CommandLine ParentCommandLine ProcessCommandLine InitiatingProcessCommandLine ScriptBlockText Payload ContextInfo
    HostApplication ServiceFileName ImagePath TaskContent Details NewValue ObjectValueName QueryResults Data Value
    Destination Query Consumer Filter Arguments Parameters Command command cmd cmdline command_line proctitle args
    cs-uri-query cs-cookie cs-uri-stem c-uri-query post_body post_data ActionName Action TaskName EventData
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 msg DeviceDescription ThreatName Threat_Name threat signature
    AdditionalInfo additional_info extraInfo request requestParameters.userData subject Subject
    RemoteDestination HostProcess Initiated jobTitle fileList BytesTransferred
    message MESSAGE reason rest extra AnchorMailbox GenericInfo GenericErrors header
""".split()


def _table() -> dict[str, tuple[Holds, ...]]:
    found: dict[str, list[Holds]] = {}
    named: tuple[tuple[Holds, list[str]], ...] = (
        ("place", [*_PLACES, "IP Address", "IP address"]),  # columns of consoles have blanks in their names
        ("url", _URLS),
        ("hash", _HASHES),
        ("mail", _MAILS),
        ("file", _FILES),
        ("account", _ACCOUNTS),
        ("key", _KEYS),
        ("agent", _AGENTS),
        ("text", _TEXTS),
    )
    for holds, names in named:
        for name in names:
            kinds = found.setdefault(name, [])
            if holds not in kinds:
                kinds.append(holds)
    return {name: tuple(kinds) for name, kinds in found.items()}


FIELDS: Final[Mapping[str, tuple[Holds, ...]]] = _table()

# What may stand in a field of each sort.
OBSERVED: Final[Mapping[Holds, tuple[ObservableType, ...]]] = {
    "place": ("address", "network", "domain"),
    "url": ("url", "domain", "address", "network"),
    "hash": ("md5", "sha1", "sha256", "sha512", "imphash", "ssdeep", "ja4"),
    "mail": ("mail", "domain", "account"),
    "file": ("file", "path"),
    "account": ("account", "mail", "sid"),
    "key": ("key",),
    "agent": ("agent",),
    "text": ("address", "domain", "url", "md5", "sha1", "sha256", "sha512", "mail", "file", "path", "mutex"),
}

RAW: Final = "(record)"  # where something stands in a record of text, but in none of its fields
# Logs of text whose fields are few: there the record itself is searched, as free text is.
RAW_KINDS: Final = frozenset({"application", "cisco", "linux"})
# Logs whose records say in words once more what their fields say: the field of these words, which is searched in the
# few records that have no other field in which an observable may stand (one in fifty of Windows' logs).
SPOKEN_KINDS: Final[Mapping[str, str]] = {"windows": "Message"}
