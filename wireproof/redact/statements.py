"""What statements, directives and commands give as a secret by their words, and what databases say
of one.

Expressions are as those of :mod:`.names`: each accepts the end of what has come in place of what is
missing, and takes linear time. ``names`` are those of a user.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .labels import BETWEEN_TICKS
from .names import AFTER_ESCAPE, IN_COMMAND, WEAK, WORD_BEGINS, known

_QUOTED = r"(?:\\{0,7}+[\"'])?"
_WORD = r"(?![$<%{])([^\s\"'\\]++)"
_NO_PROSE = r"(?![a-z]{1,14},?[ ][a-z])"

# RFC 2307 section 5.3, and what Spring, Dovecot and application servers write: a scheme in braces
# before what is stored of a password. Names of schemes tell it, whatever stands before.
SCHEMES = (
    *(
        "sha",
        "ssha",
        "md5",
        "smd5",
        "crypt}",
        "bcrypt}",
        "pbkdf2",
        "argon2",
        "scrypt",
        "blf-crypt}",
    ),
    *("cram-md5}", "ntlm}", "lanman}", "xor}", "noop}", "cleartext}", "plain", "aes}", "cipher}"),
    *("enc}", "ldap_md5}"),
)
"""How they begin behind the brace."""
_HASHED = (
    r"s?sha(?:-?\d{1,3})?(?:-crypt|\.hex|\.b64)?|s?md5(?:-crypt)?|b?crypt|pbkdf2[\w-]{0,16}"
    r"|argon2[\w@]{0,24}|scrypt[\w@.]{0,8}|blf-crypt|cram-md5|ntlm|lanman|xor|aes|cipher|ldap_md5"
)
_PLAIN = r"noop|cleartext|plain(?:-?text)?|enc"
STORED = (
    rf"(?<=\{{)(?i:(?:{_HASHED})\}}([\w/+$=.,{{}}-]{{8,}}+|[\w/+$=.,{{}}-]++\Z)"
    rf"|(?:{_PLAIN})\}}(?![ ]){_WORD})"
)

# Directives of Redis, OpenLDAP, nslcd and keepalived, each with a password after a space.
DIRECTIVES = (
    *("requirepass", "masterauth", "primaryauth", "rootpw", "bindpw", "rootbindpw", "auth_pass"),
    *("tls-key-file-pass", "rootpwmodpw", "snmp-server community", "tacacs-server key"),
    *("radius-server key", "crypto isakmp key", "-storepass", "-keypass"),
)
_NO_SAMPLE = rf"{_NO_PROSE}(?!foobared\b|\d[ ]|(?:env|file)[ :])"  # Redis's own
DIRECTIVE = rf"{WORD_BEGINS}(?i:{'|'.join(DIRECTIVES)})[ \t]{{1,24}}{_QUOTED}{_NO_SAMPLE}{_WORD}"
# Cisco's: how a password is written stands before it as a number.
NUMBERED = (
    "password 0 ",
    "password 7 ",
    "password 8 ",
    "secret 5 ",
    "secret 8 ",
    "secret 9 ",
    "key 7 ",
)
NUMBERED_VALUE = rf"(?i:password|secret|key)[ ]\d[ ](?![a-z]{{1,14}}\b){_WORD}"
# A command of a workflow that has a value masked from there on.
ADD_MASK = rf"::add-mask::{_WORD}"
# PowerShell makes a secret of a text in the clear.
SECURE_STRING = (
    r"(?i:convertto-securestring)(?:[ ]-(?i:string|asplaintext|force)){0,3}[ ]{1,4}"
    r"\\{0,7}+[\"'](?![$])([^\"'\\]++)"
)
# Oracle's logins: a user, a slash, and a password up to the name of a database.
ORACLE_TOOLS = (
    "sqlplus ",
    "oracle:thin:",
    "oracle:oci:",
    "expdp ",
    "impdp ",
    "sqlldr ",
    "rman target ",
)
ORACLE = (
    r"(?:oracle:(?:thin|oci):"
    rf"|{WORD_BEGINS}(?:sqlplus|expdp|impdp|sqlldr|rman target)[ ](?:-\w{{1,8}}[ ]){{0,3}}"
    rf"{_QUOTED})[\w.$#]{{1,32}}+/(?!/|pass(?:word)?@)(?:\\?\"?)([^\s\"'\\/@]++)(?=\\?\"?@|\Z|[\s\"'\\])"
)
# Options of one letter, and arguments, with which well-known commands take a password, each up to
# that.
_GOES_ON = rf"{IN_COMMAND}{{0,160}}?[ ]"
_OF_SHARE = r"(?:\\{2,8}\S{1,128}[ ])?(?:(?=\S{1,64}[ ]/(?i:user):)|/(?i:user):\S{1,64}[ ](?!/))"
_LOWER, _UPPER = r"-p[ ]", r"-P[ ]?"
_MIXED_WORD = r"(?=[\"']?[^\s\d]{0,64}\d)"
_REGISTRIES = (
    *("docker", "podman", "buildah", "nerdctl", "registry", "skopeo", "oras"),
    *("oc", "cf", "az"),
)
OPTIONS = {
    "openssl ": r"(?:-[kK][ ]|-pass(?:in|out|word)?[ ]pass:)",
    **dict.fromkeys(("zip ", "unzip ", "sqlcmd ", "bcp ", "tsql ", "isql ", "osql "), _UPPER),
    **dict.fromkeys(("mosquitto_pub ", "mosquitto_sub ", "mosquitto_rr ", "ipmitool "), _UPPER),
    **dict.fromkeys(("7z ", "7za ", "rar ", "unrar "), r"-h?p"),
    **dict.fromkeys(("mongo ", "mongosh ", "mongodump ", "mongorestore "), r"-p[ ]?"),
    **dict.fromkeys(("mongoexport ", "mongoimport ", "mycli "), r"-p[ ]?"),
    **dict.fromkeys((f"{tool} login " for tool in _REGISTRIES), _LOWER),
    **dict.fromkeys(("cqlsh ", "cypher-shell ", "impala-shell ", "beeline "), _LOWER),
    **dict.fromkeys(("rabbitmqadmin ", "twine upload ", "smbmap ", "crackmapexec "), _LOWER),
    **dict.fromkeys(("netexec ", "rdesktop ", "ncftp ", "hydra ", "useradd ", "usermod "), _LOWER),
    **dict.fromkeys(("ldapsearch ", "ldapmodify ", "ldapadd ", "ldapwhoami "), r"-w[ ]?"),
    **dict.fromkeys(("ldapdelete ", "ldapmodrdn ", "ldapcompare "), r"-w[ ]?"),
    **dict.fromkeys(("auth login ", "auth init "), r"(?:-[pt]|--token)[ ]"),
    "ldappasswd ": r"-[was][ ]?",
    "smbclient ": r"-U[ ]\S{1,64}?%",
    **dict.fromkeys(
        ("snmpwalk ", "snmpget ", "snmpset ", "snmpbulkwalk "),
        r"-(?:[AX]|c(?![ ](?:public|private)\b))[ ]",
    ),
    "htpasswd ": r"-\w{0,4}b\w{0,4}[ ]\S{1,128}[ ]\S{1,64}[ ]",
    "net use ": _OF_SHARE,
    "secret set ": r"(?:--body[ ]|-b[ ]?)",
    "ssh-keygen ": r"-[NP][ ]",
    "xfreerdp ": r"/p:",
    "lftp ": r"-u[ ][^\s,]{1,64},",
    "rabbitmqctl ": r"(?:add_user|change_password|authenticate_user)[ ]\S{1,64}[ ]",
    "etcdctl ": r"user[ ]add[ ][^\s:]{1,64}:",
    "wpa_passphrase ": r"\S{1,64}[ ]",
    "mc alias set ": r"(?<=set[ ])(?:\S{1,128}[ ]){3}",
    "nmcli ": r"(?:password|[\w.-]{0,24}psk)[ ]",
    "rclone ": r"(?:obscure|pass(?:word)?|[a-z_]{1,24}(?:token|secret|key))[ =]",
    "mysqladmin ": r"password[ ]",
    "npm config set ": r"\S{0,96}_(?:authToken|auth|password)[ =]",
    "cargo login ": _MIXED_WORD,
    "nuget push ": r"(?:-k|-ApiKey|--api-key)[ ]",
}


def _option(command: str, option: str) -> str:
    begins = rf"{WORD_BEGINS}{command[:-1]}(?:{_GOES_ON[:-3]}(?<=[ ])){option}"
    return rf"{begins}\\{{0,3}}[\"']?(?![-$<%])([^\s\"'\\]{{3,}}+)"


# What installers and servers say when they have made one, on the same line or the next.
MADE = (
    *("temporary password", "initial password", "generated password", "following password"),
    *("default password", "admin password", "one-time password", "unseal key", "recovery key"),
)
_SAID_NEXT = (
    rf"(?i:{'|'.join(MADE)})[^\r\n:\\\"]{{0,80}}+:(?:\s|\\{{1,3}}[nrt]){{1,8}}\\{{0,3}}[\"'`]?"
    r"(?=[^\s\"'\\]{0,64}?\d)([^\s\"'`\\]{8,}+)"
)
HEADER = (
    r"(?i:authorization header):?[ ](?i:(?:bearer|basic|token)[ ])?(?=[\w~+/.-]{0,64}?\d)"
    r"([\w~+/=.-]{12,}+|[\w~+/=.-]{6,}+\Z)"
)
# What begins the user's name and password of libcurl.
USER_PASSWORD = (
    r"(?i:(?:proxy)?userpwd)[\"']?\s{0,4},\s{0,4}\\{0,7}[\"'][^\s:\"'\\]{1,64}+:([^\"'\\]++)"
)
# The key with which a token is signed, or read: the second argument.
SIGNED = (
    r"(?i:jwt\.(?:en|de)code|jwt\.(?:sign|verify))\([^()\"'\\,]{0,96}+,\s{0,4}\\{0,7}[\"']"
    r"([^\"'\\\s]++)"
)
# The third argument of what connects to MySQL from PHP.
CONNECTED = (
    r"(?i:mysqli(?:_connect)?|pdo)\((?:\s{0,4}\\{0,7}[\"'][^\"'\\]{0,96}+\\{0,7}[\"'],){2}"
    r"\s{0,4}\\{0,7}[\"']([^\"'\\]++)"
)

# What holds a user and a password for .NET and Java: the second argument.
LOGIN_OBJECT = (
    r"(?i:networkcredential|passwordcredentials?|passwordauthentication)\(\s{0,16}\\{0,7}[\"']"
    r"[^\"'\\]{1,96}+\\{0,7}[\"'],\s{0,16}\\{0,7}[\"']([^\"'\\\x00-\x1f]++)"
)
# A parameter of AWS that is to be stored encrypted, or is named after a secret.
PARAMETER = (
    r"put-parameter(?=[^\r\n]{0,256}?(?i:secure|pass|secret|token|key))"
    rf"(?:{IN_COMMAND}{{0,256}}?)--value[ =]\\{{0,3}}[\"']?(?![-$<%]|file:)([^\s\"'\\]{{3,}}+)"
)
# Of HAProxy, of strongSwan, and of Bundler for a host.
STATS = r"(?i:stats[ ]auth)[ ][^\s:]{1,64}+:([^\s\"'\\]++)"
IPSEC = r":[ ](?:PSK|XAUTH|EAP)[ ]\\{0,7}\"([^\"\\\x00-\x1f]++)"
BUNDLER = (
    r"BUNDLE_(?=\w{0,96}__)\w{4,128}+\\{0,7}\"?(?:=|:[ ])\\{0,7}[\"']?[^\s:\"'/\\]{1,64}+:"
    r"(?!//)([^\s\"'\\]++)"
)
_MIXED = r"(?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])[^\s\"'`\\,;()]{6,}+"
# A user and a password before an address, as drivers of Go have it.
DSN = r"(?P<before>@)(?:tcp|unix)\("
BEFORE = {
    "@": re.compile(r"(?<=:)(?!passw(?:or)?d\Z|pass\Z|[<${%])[^\s:@\"'`\\/]{1,128}\Z"),
    " ": re.compile(rf"(?:(?<![A-Za-z0-9\\])|{AFTER_ESCAPE}){BETWEEN_TICKS}(?=\\{{0,7}}[\"'`]?\Z)"),
}
"""The password in what stands before it, by the character that begins what tells it."""
NICKSERV = rf"(?i:nickserv[ ]:?identify)[ ](?:[\w-]{{1,32}}[ ])?({_MIXED})"
# Keys of functions, and of Hawk.
KEYED = (
    r"(?:(?i:fernet|hmac\.new)\(|(?i:createhmac)\(\s{0,4}\\{0,7}[\"'][\w-]{1,16}\\{0,7}[\"'],)\s{0,16}"
    rf"b?\\{{0,7}}[\"']({_MIXED})"
)
HAWK = r"(?<![\w-])mac=\\{0,7}\"(?=[^\"\d]{0,44}\d)([\w+/=]{16,}+|[\w+/=]++\Z)"
# What prose says of a value before its name: "Use `...` as the API key".
USED_AS = (
    r"(?i:use|enter|try|type)[ ]\\{0,7}[\"'`](?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])"
    r"([^\s\"'`\\]{8,256}+)\\{0,7}[\"'`][ ](?:as|for)[ ](?:(?:the|your|an?|my|our)[ ])?"
    r"(?:[A-Za-z]{1,16}[ ]){0,2}?"
    r"(?i:password|pass(?:phrase|code)|api[ _-]?key|(?:[a-z]{2,16}[ ])?token|secret)"
)
USES = tuple(f"{verb} {quote}" for verb in ("use", "enter", "try", "type") for quote in "\"'`\\")
LOGIN_OBJECTS = ("networkcredential", "passwordcredential", "passwordauthentication")
# The same without a quote, which only what comes behind it tells.
_CALLED = (
    r"(?:pass(?:word|phrase|code)|api key|access token)"
    r"(?![ ](?:hash|manager|polic|field|reset|file|column|flow))"
)
SAID_BEFORE = (
    r"(?P<before>[ ](?:as|is)[ ](?:(?:the|your|my|our|its)[ ])?(?:[a-z-]{1,16}[ ])?"
    rf"(?i:{_CALLED}))"
)
_WHOSE = ("the ", "your ", "my ", "our ", "its ")
BEHIND_VALUE = tuple(f" {verb} {whose}" for verb in ("as", "is") for whose in _WHOSE)
AS_NAME = (" as pass", " as api", " as access")
# A user and a password behind a word for both: "credentials are anna / ...".
LOGIN_PAIRS = ("creds: ", "credentials: ", "credentials are ", "login: ", "logging in with ")
LOGIN_PAIR = (
    rf"(?i:{'|'.join(LOGIN_PAIRS)})\\{{0,3}}[\"'`]?[\w.@-]{{1,48}}(?:[ ]/[ ]|[/:])({BETWEEN_TICKS})"
)
# A user and a password in one line: "user anna password ...", "username anna and password ...".
LOGIN_LINE = (
    r"(?i:user(?:name)?)[ ]\\{0,3}[\"'`]?[^\s\"'`\\]{1,64}\\{0,3}[\"'`]?[ ]"
    r"(?:(?:and|with)[ ](?:the[ ])?)?(?i:password|pass|pw)[ ](?:\\{0,3}\"([^\s\"\\]{3,}+)"
    r"|[\"'`]?((?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])[^\s\"'`\\,;()]{6,}+))"
)


def statements(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return how they begin, each with its expression."""
    return [
        *_said_by_databases(names),
        *((begins, STORED) for begins in SCHEMES),
        *((begins, DIRECTIVE) for begins in DIRECTIVES),
        *((begins, NUMBERED_VALUE) for begins in NUMBERED),
        ("::add-mask::", ADD_MASK),
        ("convertto-securestring", SECURE_STRING),
        *((begins, ORACLE) for begins in ORACLE_TOOLS),
        ("userpwd", USER_PASSWORD),
        *((command, _option(command, option)) for command, option in OPTIONS.items()),
        *((begins, _SAID_NEXT) for begins in MADE),
        ("authorization header", HEADER),
        *((begins, SIGNED) for begins in ("jwt.encode", "jwt.decode", "jwt.sign", "jwt.verify")),
        *((begins, CONNECTED) for begins in ("mysqli", "pdo(")),
        ("put-parameter ", PARAMETER),
        ("stats auth ", STATS),
        *((begins, DSN) for begins in ("@tcp(", "@unix(")),
        *((f": {kind} ", IPSEC) for kind in ("psk", "xauth", "eap")),
        ("bundle_", BUNDLER),
        ("nickserv ", NICKSERV),
        *((begins, KEYED) for begins in ("fernet(", "hmac.new(", "createhmac(")),
        *((begins, HAWK) for begins in ('mac="', "mac=\\")),
        *((begins, USED_AS) for begins in USES),
        *((begins, SAID_BEFORE) for begins in (*BEHIND_VALUE, *AS_NAME)),
        *((begins, LOGIN_OBJECT) for begins in LOGIN_OBJECTS),
        *((begins, LOGIN_PAIR) for begins in LOGIN_PAIRS),
        *((begins, LOGIN_LINE) for begins in ("user ", "username ")),
    ]


def _said_by_databases(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return how a database begins to say that a value is there already, each with the expression:
    PostgreSQL's ``Key (api_key)=(...) already exists``, MySQL's ``Duplicate entry '...' for key``.
    """
    weak = "|".join(WEAK)
    column = rf"(?i:{known(names)}|(?<![a-z])(?:{weak})(?![a-z]))"
    exists = rf"(?i:key) \([^()]{{0,128}}?{column}[^()]{{0,128}}\)=\(([^()\x00-\x1f]++)"
    entry = (
        r"(?i:duplicate entry) \\{0,7}'([^'\\]{1,256}+)\\{0,7}' for key \\{0,7}['`]"
        rf"[\w.]{{0,64}}?{column}"
    )
    dup = (
        r"(?i:dup key): \{ (?:\w{1,48}: \\{0,7}+\"[^\"\\]{0,128}+\\{0,7}\", ){0,4}"
        rf"[\w.]{{0,48}}?{column}: \\{{0,7}}+\"([^\"\\]++)"
    )
    return [("key (", exists), ("duplicate entry", entry), ("dup key", dup)]


AFTER = [
    *((begins.encode(), rb"[ \t]{1,24}\S") for begins in DIRECTIVES),
    *((begins.encode(), rb"(?<=\{%b)[^{ ]{0,24}\S" % begins.encode()) for begins in SCHEMES),
    *((command.encode(), rb"[^\n|;]{0,160}\S") for command in OPTIONS),
    *((begins.encode(), rb"[^\n:]{0,80}:") for begins in MADE),
    *(
        (begins.encode(), rb"[^\s]{8,260} (?:as|for) [a-z ]{0,48}(?:pass|key|token|secret)")
        for begins in USES
    ),
    *((one.encode(), rb"\S{1,48} ?[/:] ?[^\s\d]{0,64}\d") for one in LOGIN_PAIRS),
    *((one.encode(), rb"(?:[a-z-]{1,16} )?(?:pass|api key|access)") for one in BEHIND_VALUE),
    *((one.encode(), b"[wpc ]") for one in AS_NAME),
    (b"bundle_", rb"\w{0,96}__"),
    *((begins, rb"[\\\\\"]{0,8}[\w+/=]") for begins in (b'mac="', b"mac=\\")),
    (b"key (", rb"[^()]{1,256}\)=\("),
    *(
        (
            begins,
            rb"\S{1,64} (?:(?:and|with) (?:the )?)?p(?:ass(?:word)?|w) (?:\S{0,64}\d|\\{0,3}\")",
        )
        for begins in (b"user ", b"username ")
    ),
    (b"duplicate entry", rb"[ ]\\{0,7}'"),
]
"""What follows these in lower case before there can be a secret."""
