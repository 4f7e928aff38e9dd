"""Kinds of secrets by how they are written: each is masked whole, and wherever it is cut."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from wireproof.redact.content import ContentFinder
from wireproof.redact.patterns import MAX_CONTEXT
from wireproof.redact.secrets import Finder, mask_spans, mask_text

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
HEX = "7f3a09d1c2b85e64" * 2
CODED = b64encode(b"correct horse battery").decode()
CURVE = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
BOT = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"

NAMED = [
    # a name, and what it names in a member that follows, or another one between
    '{"k":"password","v":"{}"}',
    '{"k":"password","value":"{}"}',
    '{"ParameterKey":"DbPassword","ParameterValue":"{}"}',
    '{"OutputKey":"DbPassword","Description":"Of the database","OutputValue":"{}"}',
    '{"name":"password","val":"{}"}',
    '{"name":"password","content":"{}"}',
    '{"name":"password","data":"{}"}',
    '{"name":"DB_PASSWORD","type":"string","default":"{}"}',
    '{"field":"password","value":"{}"}',
    '{"id":"password","value":"{}"}',
    '{"id":"password","purpose":"PASSWORD","label":"password","value":"{}"}',
    '{"header":"X-Api-Key","value":"{}"}',
    '{"variable":"DB_PASSWORD","value":"{}"}',
    '{"name":"api_key","meta":{"a":1},"tags":["b"],"value":"{}"}',
    '{"name":"api_key","value":["{}"]}',
    '{"a":"{\\"name\\":\\"api_key\\",\\"values\\":[\\"{}\\"]}"}',
    # tables of Markdown
    "| **API key** | `{}` |\n",
    "| Setting | Value |\n|---|---|\n| Database password | {} |\n",
    "| token | {} | expires soon |\n",
    # Markdown: bold text that ends before the colon, blocks of code below labels and headings
    "**Password**: {}\n",
    "- **API Key**: `{}`\n",
    "* **`db_password`** = `{}`\n",
    "Your API key:\n\n```\n{}\n```\n",
    "### Access token\n\n```\n{}\n```\n",
    "**Password:**\n```text\n{}\n```\n",
    # YAML
    "users:\n  - name: anna\n    password: {}\n",
    "- password: {}\n",
    "env:\n - name: DB_PASSWORD\n   value: {}\n",
    'env:\n  - name: "DB_PASSWORD"\n    type: plain\n    value: "{}"\n',
    "- key: api_key\n  value: {}\n",
    "- name: token\n  value: {}\n",
    '{"f":"env:\\n  - name: DB_PASSWORD\\n    value: {}\\n"}',
    "password: &first {}\n",
    "password: !!str {}\n",
    "passwords:\n  - one\n  - {}\n",
    "stringData:\n  port: 1\n  dsn: {}\n",
    "stringData:\n  dsn: |\n    first\n    {}\n",
    # lines with a space between name and value
    "FROM a\nENV DB_PASSWORD {}\nRUN b\n",
    '{"f":"FROM a\\nENV API_KEY {}\\nRUN b\\n"}',
    "ENV TOKEN {}\n",
    "ARG NPM_TOKEN={}\n",
    "setx API_KEY {}\n",
    "set -gx API_KEY {}\n",
    "setenv API_KEY {}\n",
    "SetEnv API_KEY {}\n",
    "proxy_set_header X-Api-Key {};\n",
    'proxy_set_header Authorization "Bearer {}";\n',
    "fastcgi_param API_KEY {};\n",
    "Header always set X-Api-Key {}\n",
    "http-request set-header X-Api-Key {}\n",
    # a user and a password
    "requests.get(a, auth=('anna', '{}'))",
    '{"code":"requests.get(a, auth=(\\"anna\\", \\"{}\\"))"}',
    "HTTPBasicAuth('anna', '{}')",
    'server.login("anna@a.example", "{}")',
    "auth: ['anna', '{}']",
    "auth: { user: 'anna', pass: '{}' }",
    "ACL SETUSER anna on >{} ~* +@all\r\n",
    "user default on nopass >{} ~* +@all\n",
]
SAID = [
    # what messages say of one
    "Incorrect API key provided: {}. You can find yours",
    '{"error":{"message":"Invalid access token {}"}}',
    "ERROR token '{}' has expired\n",
    "Session with id {} not found\n",
    'AccessToken("{}")',
    '{password,<<"{}">>}',
    # commands
    "docker login -u anna -p {} a.example",
    "sshpass -p '{}' ssh a",
    "mysql -u root -p{} main",
    "redis-cli -h a -a {} ping",
    "curl --proxy-user anna:{} a",
    "curl -uanna:{} a",
    # HTML, and tables that name and give
    "<input type=hidden name=csrf_token value={}>",
    "<meta name=csrf-token content={}>",
    "<tr><td>DB_PASSWORD</td>\n<td class=a><pre>&#x27;{}&#x27;</pre></td></tr>",
    "<tr><td class='e'>SECRET_KEY </td><td>{} </td></tr>",
    # names
    '{"dbpass":"{}"}',
    '{"rootpw":"{}"}',
    '{"appkeys":["{}"]}',
    '{"pem":"{}"}',
    "magic_link={}&a=b",
    "?__token__={}&a=b",
    "sess={}&a=b",
    '{"auth":{"type":"bearer","value":"{}"}}',
    '{"tokens":{"access":"{}","type":"a"}}',
    "<pair><name>token</name><value>{}</value></pair>",
    "token:              {}\n",
    '["login","anna","{}"]',
    # JSON in a string of JSON
    '{"x":"{\\"keys\\":[\\"a\\",\\"{}\\"]}"}',
    '{"x":"{\\"password\\":\\"\\\\u00e9{}\\"}"}',
    '{"x":"{\\"auth\\":{\\"value\\":\\"{}\\"}}"}',
    '{"x":"Private-Lines: 1\\r\\n{}\\r\\nPrivate-MAC: ab"}',
]
MORE = [
    # names
    '{"key_material":"{}"}',
    '{"keyData":"{}"}',
    '{"passkey":"{}"}',
    "g-recaptcha-response={}&a=b",
    "cf-turnstile-response={}&a=b",
]
CODE = [
    # a type, a prefix or a wrapper before the value
    'password: str = "{}"',
    'const apiKey: string = "{}";',
    'val password: String = "{}"',
    "password: str | None = '{}'",
    "{'password': b'{}'}",
    'api_key = r"{}"',
    'password: Optional("{}")',
    '  ["password"]=>\n  string(20) "{}"\n',
    "map[Authorization:[{}] user:[anna]]",
    "passwords: [one, {}]\n",
    's:8:"password";s:20:"{}";',
    '#define PASSWORD "{}"',
    '((password . "{}"))',
    '{:password "{}"}',
    "The password is {}.",
    "Your password was: {}\n",
    'variable "db_password" {\n  type    = string\n  default = "{}"\n}\n',
    # JSON
    '{"password":{"$binary":{"base64":"{}","subType":"00"}}}',
    '{"password":{"a":{"b":[{"c":"{}"}]},"d":"e"}}',
    '{"password":{"a":{"b":"c"},"d":"{}"}}',
    '{"token":{"stringValue":"{}"}}',
    '[["token","{}"]]',
    '{"key":"a.password","value":{"arrayValue":{"values":[{"stringValue":"{}"}]}}}',
    # binary forms
    "\0\0\0\x08password\0\0\0\x14{}\0",
    "\xa5token\xb4{}\xa1n",
    # other tokens
    '{"x":"machine a\\nlogin b\\npassword {}\\n"}',
    "https://a.webhook.office.com/webhookb2/{}/IncomingWebhook/a",
    '{"value":"ek_{}","expires_at":1}',
    "db.example:5432:main:anna:{}\n",
    "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{}\nPrivate-MAC: ab\n",
    'Digest username=\\"anna\\", response=\\"{}\\"',
]
TYPED = [
    # a type between a name and its value, with a colon and without
    'self.password: str = "{}"',
    'PASSWORD: Final[str] = "{}"',
    'def f(api_key: str = "{}", b=1): ...',
    'api_key: SecretStr = SecretStr("{}")',
    'private readonly token: string = "{}";',
    "const apiKey: string = `{}`;",
    "apiKey?: string = '{}';",
    'static let apiKey: String? = "{}"',
    'private const val API_KEY: String = "{}"',
    'const apiKey string = "{}"',
    "var password string = `{}`",
    'const API_KEY: &str = "{}";',
    'let api_key: &\'static str = "{}";',
    'let password: Option<String> = Some("{}".into());',
    'let password = String::from("{}");',
    'private static final String API_KEY = "{}";',
    'const char password[] = "{}";',
    'std::string password{"{}"};',
    'std::string api_key("{}");',
    'api_key : constant String := "{}";',
    "DECLARE @password NVARCHAR(50) = N'{}'",
    'Dim password As String = "{}"',
    # strings of three quotes, and calls
    'password = """{}"""',
    'createKey(apiKey: """{}""") { id }',
    'client.withApiKey("{}")',
    # what a variable has if it is not set
    'process.env.API_KEY || "{}"',
    'getenv("API_KEY") ?: "{}"',
    "os.environ.get('API_KEY') or '{}'",
    'ENV["API_KEY"] ||= "{}"',
    "token -> {}\n",
    'variable "token" {\n  default = "{}"\n}\n',
    '{"values":[{"stringValue":"--api-key"},{"stringValue":"{}"}]}',
    # what a server prints, or says
    '["password"]=>\n  string(20) "{}"\n',
    "<key>apiKey</key>\n\t<string>{}</string>",
    '1,"{""password"":""{}""}",b',
    "userPassword:: {}==",
    '{"id":"https://a.vault.azure.net/secrets/db-password/0a1b","value":"{}"}',
]
IN_JSON = [json.dumps({"a": one}) for one in TYPED]
OTHERS = [
    ("x{}", "sk_live_" + SECRET),
    ("key{} ", "sk-proj-" + SECRET),
    (r'{"id":"https:\/\/a.example\/secrets\/db\/1","value":"{}"}', SECRET),
    ("anna:$6$abcdefgh${}:19000:0:\n", SECRET * 2),
    ("anna:$2b$12${}\n", SECRET * 2),
    ('{"x":"Basic {}"}', b64encode(b"anna:correct1").decode()),
    (
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{}\n-----END",
        SECRET,
    ),
    ("ACL SETUSER anna on #{} ~*\r\n", HEX * 2),
    ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}|2^20|1:32\r\n", CODED * 2),
    ("    client-key-data: {}\n", CODED),
    # Secrets of Kubernetes
    ("apiVersion: v1\ndata:\n  DSN: {}\n  B: aGFsbG8=\nkind: Secret\n", CODED),
    ('{"f":"apiVersion: v1\\ndata:\\n  DSN: {}\\nkind: Secret\\n"}', CODED),
    ('{"apiVersion":"v1","data":{"a":"aGFsbG8h","dsn":"{}"},"kind":"Secret"}', CODED),
    ('{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"},"data":{"dsn":"{}"}}', CODED),
    # tokens
    ("key fw_{}", SECRET),
    ("key pa-{}", SECRET * 2),
    ("SK{}", HEX),
    ("v4.local.{}", CURVE),
    ("/bot123456789:{}/sendMessage", BOT),
    ("/bot123456789%3A{}/getMe", BOT),
    ("token 123456789:{}", BOT),
    # JSON Web Keys
    ('{"kty":"oct","k":"{}","alg":"A256KW"}', CURVE[:22]),
    ('{"kty":"EC","crv":"P-256","x":"f83","y":"x_F","d":"{}"}', CURVE),
    ('{"kty":"RSA","n":"abc","e":"AQAB","qi":"{}"}', CURVE),
    ('{"a":"{\\"d\\":\\"{}\\",\\"kty\\":\\"OKP\\"}"}', CURVE),
    # what frameworks of Python print of a request's fields
    ("[(b'host', b'a'), (b'x-api-key', b'{}')]", SECRET),
    ("[(b'authorization', b'Bearer {}')]", SECRET),
    ("[('x-api-key', '{}'), ('accept', '*/*')]", SECRET),
    # of Supabase
    ("service_role: {}\n", SECRET),
    ('{"anon":"a","service_role":"{}"}', SECRET),
    ("the service_role key is {}\n", SECRET),
    # wireless networks
    ("WIFI:S:home;T:WPA;P:{};;", "correct horse battery"),
    ("WIFI:T:WPA2;S:My Net;H:false;P:{};;", "a\\;b2c3d4e5"),
    # commands
    ("docker login -u a --password-stdin <<< '{}'", SECRET),
    # in JSON in JSON, beside what is no ASCII
    ('{"a":"{\\"password\\": \\"p\\u00e4{}\\"}"}', SECRET),
    # short ones
    ("user=anna&pass={}&a=b", "hunter2xyz"),
    ('{"user":"anna","pwd":"{}"}', "hunter2xyz"),
]
IN_LINES = [
    # at the beginning of a line, in a string of JSON too
    "sshpass -p {} ssh a@b",
    "mysql -u root -p{} shop",
    "redis-cli -h c -a {} ping",
    "docker login -u anna -p {}",
    "docker login \\\n  -u anna -p {}",
    "docker login -u DOMAIN\\nora -p {}",
    "vault login {}",
    "az login --service-principal -u x -p {}",
    "curl -u anna:{} https://a.example",
    "--password {} -v",
    "otp: {}",
    "password: |\n  {}\n",
    "api_key: >-\n  {}\nb: c\n",
    'password: |\n  b"\\c\n  {}\n',
    "password: |\r\n    {}\r\n",
]
IN_LINES = [
    json.dumps({"a": one}) if levels == 1 else json.dumps({"a": json.dumps({"b": one})})
    for levels in (1, 2)
    for command in IN_LINES
    for one in (f"```bash\n{command}", f"\t{command}")
]
KINDS = [(one, SECRET) for one in NAMED + SAID + MORE + CODE + TYPED + IN_JSON + IN_LINES] + OTHERS


@pytest.mark.parametrize("form, secret", KINDS)
def test_a_secret_is_masked(form: str, secret: str) -> None:
    """Also if it is cut anywhere inside it, or before it where its name is near, or everywhere."""
    before, _, after = form.partition("{}")
    whole = before + secret + after
    assert "*" * len(secret) in mask_text(whole)
    first = max(len(before) - MAX_CONTEXT // 2, 0)
    cuts = [[whole[:at], whole[at:]] for at in range(first, len(before + secret) + 1)]
    for pieces in [*cuts, list(whole)] if len(before) < MAX_CONTEXT else cuts:
        for finder in (Finder(), ContentFinder(is_event_stream=False)):
            shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
            assert [at for at in range(len(secret) - 7) if secret[at : at + 8] in shown] == []


UUID = "3f9a1c7e-5b2d-4e8f-9a6b-7c1d2e3f4a5b"
ADDRESSES = [
    # they let in who has them
    ("https://a.example/reset/{}", SECRET),
    ("Click https://a.example/reset-password/{} to go on.", SECRET),
    ("https://a.example/password/reset/{}?email=anna", SECRET),
    ("https://a.example/accounts/reset/MQ/c5k3p1-{}/", HEX),
    ("/password-reset/{}", UUID),
    ("https://a.example/auth/magic-link/{}", SECRET),
    ("https://a.example/verify-email/{}", SECRET),
    ("/invitations/{}/accept", SECRET),
    ("/activate/{}", UUID),
    ("https://a.example/login/token/{}", SECRET),
    ("https://chat.example/hooks/{}", "xk7pq2mz9vr4tw1nb8cl3sd6ab"),
    ("https://maker.example/trigger/x/with/key/{}", SECRET),
    ("https://n8n.example/webhook/{}", SECRET),
    ("https://a.example/v1/input/{}", SECRET),
    ("https://events.pagerduty.com/integration/{}/enqueue", SECRET),
    ("https://a.example/hooks/5f9a1c7e5b2d4e8f9/{}", SECRET),
    ("https://a.example/heartbeat/{}", SECRET),
    ("https://a.example/unsubscribe/{}", SECRET),
    ("https://a.example/calendar/ical/anna%40a.example/private-{}/basic.ics", SECRET),
    ("https://a.example/owa/calendar/x@a.example/{}/calendar.ics", SECRET),
    ("https://a.example/feeds/calendars/user_{}.ics", SECRET),
    ("https://a.example/data?appid={}", SECRET),
]
PIPED = [
    ("echo {} | docker login r.example -u anna --password-stdin", SECRET),
    ('echo "{}" | docker login --username anna --password-stdin', SECRET),
    ("printf '%s' '{}' | helm registry login -u a --password-stdin", SECRET),
    ("echo {} | gh auth login --with-token", SECRET),
    ("echo '{}' | sudo -S apt update", "hunter2"),
    ("echo 'anna:{}' | chpasswd", "hunter2"),
    ('{"cmd":"echo \\"{}\\" | docker login -u a --password-stdin"}', SECRET),
    ('{"cmd":"cd a\\necho {} | sudo -S ls"}', SECRET),
]


@pytest.mark.parametrize("form, secret", ADDRESSES + PIPED)
def test_a_secret_that_what_follows_tells_as_well(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    spans = ContentFinder(is_event_stream=False).feed(text)
    assert secret not in mask_spans(text, spans) and secret not in mask_text(text)
    assert mask_spans(text, spans).startswith(form.partition("{}")[0][:6])


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example/magic-link?t={}",
        "https://app.example/verify-email/?lang=en&c={}&x=1",
        "https://www.airbnb.example/calendar/ical/1530361023768759063.ics?t={}&locale=en",
        "webcal://a.example/feed.ics?{}".replace("{}", "s={}"),
    ],
)
def test_an_address_with_what_lets_in_in_its_query(address: str) -> None:
    for text in (address, f"see {address} now", f'<a href="{address}">'):
        masked = mask_text(text.replace("{}", HEX[:24]))
        assert masked == text.replace("{}", "*" * 24)


def test_all_of_a_webhook_of_teams_is_masked() -> None:
    ids = f"{UUID}@{UUID}/IncomingWebhook/{HEX}/{UUID}"
    assert "*" * len(ids) in mask_text(f"https://contoso.webhook.office.com/webhookb2/{ids}")


def test_a_value_before_its_name() -> None:
    for form in (
        '{"value":"{}","name":"DB_PASSWORD"}',
        '{"v":"{}","k":"password"}',
        '{"value":"{}","id":"https://a/secrets/db/1"}',
        '<param value="{}" name="password"/>',
        "<input type=hidden value={} name=csrf_token>",
        '[{"value":"{}","name":"password","domain":"a"}]',
        "https://{}:x-oauth-basic@a.example/b",
        '{"value":"{}","type":"string","key":"api_key"}',
        '<input value="{}" type="password" name="p">',
        "<input value={} name=p type=password>",
        "Duplicate entry '{}' for key 'users.api_token'",
        r'{"value":"{}","id":"https:\/\/a.example\/secrets\/db-password\/1"}',
    ):
        text = form.replace("{}", SECRET)
        assert mask_text(text) == text.replace(SECRET, "*" * len(SECRET))


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"password","in":"query","description":"The password"}',
        '{"role":"tool","name":"get_token","content":"The weather is fine"}',
        '{"k":"v","d":"hello world","p":"abc"}',
        '{"id":"chatcmpl-1","object":"chat.completion","value":"abc"}',
        "data:\n\ndata: hello\n",
        "passwords:\n  - name: anna\n",
        '{"data":{"id":"abcdabcd"}}',
        '{"kind":"ConfigMap","data":{"a":"abcdefgh"}}',
        '{"apiVersion":"v1","data":{"a":"no base64"},"kind":"ConfigMap"}',
        "ENV PATH /usr/bin",
        "environments, variables and keys",
        "header set X-Frame-Options DENY",
        "ACCEPT, SKIP deadbeef, user anna on the phone",
        '{"status":"pass","tests":{"pass":3,"fail":1}}',
        '"pwd":"/home/anna"',
        "please connect('here', 'there')",
        '{"secrets":[{"name":"DB_PASSWORD","created_at":"2026-01-10T14:59:22Z"}]}',
        '{"a":"{\\"secrets\\":[{\\"name\\":\\"API_TOKEN\\",\\"at\\":\\"2026-01-10T14:59:22+01:00\\"}]}"}',
        '{"a":"mysql -u root\\n\\ndocker run -p 8080:80 b"}',
        '{"a":"\\nPOST /v1/sessions -> 201\\nGET /v1/tokens/current -> 200\\n"}',
        "Password:\n```text\nat least eight characters\n```\n",
        "Token:\n\n```json\n{}\n```\n\n### Session\n\n```\npip install a\n```\n",
        "- **Password**: required\n- **API Key**: `string`\n",
        '{"a":"\\nKey: the word\\nKey takeaways: tokens are short"}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
