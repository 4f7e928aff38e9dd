"""What has the name of a secret and is none."""

from __future__ import annotations

import pytest

from wireproof.redact.secrets import find, mask_text

PLAIN = [
    # names
    '{"public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "publicKey": "MIIBIjANBgkqhkiG9w0B"}',
    '{"primary_key": "3f2b8c1e-1111-4222-8333-abcdefabcdef", "sort_key": "created"}',
    '{"partitionKey": "pk", "cache_key": "user:1", "key_type": "rsa"}',
    '{"name": "sort_key", "value": "created"}',
    "foreign_key: user_id\n",
    "secret_name: prod/db\npassword_policy: strong\n",
    "session_timeout: 30m\ncookie_domain: a.example\n",
    # types
    "def f(password: str, api_key: Optional[str] = None) -> None:",
    "password: string;\n",
    "password: str",
    # words
    "authorization: required\n",
    "Authorization: the process of granting access.\n",
    "Session: Monday",
    "session: opening of the fair\n",
    "credentials: see below",
    "api_key: missing, token: invalid",
    # a sentence, after a name that none is for
    '{"password": "Password must be at least 8 characters", "session": "Your session has expired"}',
    '{"password": "Password", "token": "Token", "forgot_password": "Forgot password?"}',
    '{"errors": {"password": ["This field is required."]}}',
    '<string name="password_label">Enter your password</string> ',
    "api_key: The key of the account.\n",
    "- Session: stored on the server.\n- Token: sent with each request.\n",
    "Authorization: what a user may do. Authentication: who a user is.\n",
    '{"newPassword": "New password", "apiKeys": "API keys", "credentials": "Credentials"}',
    "user:\n  api_key: API key\n  password_confirmation: Password confirmation\n  a: b\n",
    "passwords:\n  updated: Your password has been changed successfully.\n",
    # code
    "password = getpass.getpass('Password: ')",
    'api_key=os.environ.get("API_KEY")',
    'api_key = os.environ["API_KEY"]\n',
    "token = create_token(user)\n",
    "const token = await getToken();\n",
    "const apiKey = process.env.API_KEY;\n",
    "let session = Session::new();\n",
    "user.password = hash_password(password)\n",
    "self.api_key = api_key\n",
    "OpenAI(api_key=api_key, token=access_token)\n",
    "password = var.db_password\n",
    "@password = params[:password]\n",
    "string password = 2;\n",
    "UPDATE users SET password = $1, token = :token WHERE session_id = ?\n",
    'fetch(url, { credentials: "include" })',
    "const session = await getServerSession(options);\n",
    "<td>password</td><td>string</td>\n",
    "  --password string   The password\n  --token <token>\n",
    # what stands in the place of one
    "Authorization: Bearer <token>\n",
    "Authorization: Bearer YOUR_API_KEY\n",
    'curl -H "Authorization: Bearer $TOKEN" -H "X-Api-Key: ${API_KEY}" a',
    'headers = {"Authorization": f"Bearer {token}"}',
    'export OPENAI_API_KEY="your-api-key-here"\n',
    "token: ${{ secrets.GITHUB_TOKEN }}\n",
    'password: "{{ .Values.db.password }}"\n',
    '{"password": "[REDACTED]", "api_key": "..."}',
    "https://user:password@host/ postgres://${USER}:${PASSWORD}@host/a ",
    "Use Bearer authentication, and sk-your-key-goes-here. ",
    "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?required}\n",
    "secret:\n  secretName: app-tls\nsecret_file: /run/secrets/a\n",
    "'password' => 'required|string|min:8',\n",
    # descriptions
    '{"keys": [{"kty": "EC", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7", "kid": "2026-01-01-abc"}]}',
    '{"end_session_endpoint": "https://a/logout", "input_token": 2.5e-06}',
    '{"password": {"$ref": "#/components/schemas/Password"}}',
    '{"api_key": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Api Key"}}',
    '{"token": {"type": ["string", "null"], "description": "The token"}}',
    '{"flows": {"password": {"scopes": {"a": "Read all"}, "tokenUrl": "token"}}}',
    '{"secretKeyRef": {"name": "db", "key": "password"}, "secret": {"secretName": "tls"}}',
    # other values that no secret has
    '{"dependencies": {"express-session": "^1.17.3", "cookie-signature": "1.0.6"}}',
    '{"eos_token": "</s>", "pad_token": "[PAD]", "seed": 12345678901234}',
    '{"token": "internationalization", "logprob": -0.1}',
    '{"code": "INVALID_CREDENTIALS", "key": "checkout.button.continue", "a": "ECONNREFUSED"}',
    '{"i18n_key": "checkout.title", "status_code": "HTTP_401_UNAUTHORIZED"}',
    '{"topologyKey": "topology.kubernetes.io/zone", "routeKey": "GET /v1/users/{id}"}',
    '{"key": "node-role.kubernetes.io/control-plane", "storageKey": "a/b/c/2026.png"}',
    '{"object": {"key": "uploads/2026/cat1.png"}, "key": "aws:cloudformation:stack-name"}',
    '{"code": "package_not_found_in_registry", "key": "PROJ-12345-sub-task"}',
    '{"code": "auth/user-not-found", "key": "2026-11-30T08:00:00.000Z"}',
    "  key: npm-linux-x64-cache-v2\n  restore-keys: npm-linux-x64-\n",
    "  key: $CI_COMMIT_REF_SLUG-v2\n",
    "SESSION_DRIVER=database\nSESSION_LIFETIME=120\nSESSION_CONNECTION=null\n",
    "PASSWORD_RESET_TIMEOUT = 259200\nGRANT_TYPE_PASSWORD = 'password'\n",
    "login.password=Passwort\ntoken.expired=Das Token ist abgelaufen\n",
    'passwords:\n  no_token: "You can\'t use it without a password reset email."\n',
    ":param access_token: Access token string, if any.\n",
    "headers['Authorization'] = ', '.join(header)\nsession['password'] = form.password.data\n",
    "Session::get('user')\nauth::token::verify\nuseState<string | null>(null)\n",
    "const [token, setToken] = useState<string | null>(null);\n",
    "password = str(user.password)\ntoken := string(buffer)\n",
    'password VARCHAR(64) DEFAULT "", token TEXT PRIMARY KEY\n',
    'var apiKey string = os.Getenv("API_KEY")\napi_key: str = os.environ["API_KEY"]\n',
    "const token = params.token || null;\n",
    "task-2024-11-30-results, kiosk_test_environments ",
    "npm_config_cache",
    "secretary: Anna\nallow_credentials=True\n",
    '{"sessions": [{"id": 1, "title": "Opening", "room": "A"}]}',
    'curl -d "user=anna&password=<password>" http://a/',
    '<a href="x" accesskey="n">Next</a>',
    "<button accesskey='s'>Save</button>",
    "{credentials: same-origin}",
    "fetch(u, {credentials: include}).then(f)",
    'signatures = ["RS256", "ES256", "EdDSA"]',
    '{"input_token": "NextToken", "output_token": "NextToken", "limit_key": "MaxResults"}',
    '{"output_token": "NextMarker || Contents[-1].Key", "limit_key": "MaxKeys"}',
    '{"output_token": ["NextToken", "Page.NextId"], "result_key": "Items"}',
]
SECRET = [
    ('{"password": "str"}', '{"password": "***"}'),
    ('{"session": "Monday"}', '{"session": "******"}'),
    ("password=required&a=b", "password=********&a=b"),
    ("password: monday\n", "password: ******\n"),
    ("Authorization: Token abcdef\n", "Authorization: Token ******\n"),
    ("authorization: hunters\n", "authorization: *******\n"),
    ("session: abcd1234\n", "session: ********\n"),
    ('{"primaryKey": "' + "aB3+" * 10 + 'abc="}', '{"primaryKey": "' + "*" * 44 + '"}'),
    ("api_key: a.b1(c\n", "api_key: ****(c\n"),
    ("password=secret&a=b", "password=******&a=b"),
    ("a=b&password=password&c=d", "a=b&password=********&c=d"),
    ('{"password": "correct horse battery"}', '{"password": "*********************"}'),
    ('{"mnemonic": "The words of your seed are."}', '{"mnemonic": "***************************"}'),
    ('{"password": "Password1"}', '{"password": "*********"}'),
    ("Authorization: Bearer abc and more\n", "Authorization: Bearer *** and more\n"),
    ("password = hunter.two\n", "password = **********\n"),
    ("https://anna:password@host/ ", "https://anna:********@host/ "),
    ('{"password": "$ecret"}', '{"password": "******"}'),
    ("<password>string</password>", "<password>******</password>"),
    ('{"confirmPassword":"hunter2"}', '{"confirmPassword":"*******"}'),
    ("API_KEY=\nDB_PASSWORD=hunter2\n", "API_KEY=\nDB_PASSWORD=*******\n"),
    ('{"password": "Hunter2x?"}', '{"password": "*********"}'),
    ('{"a_token": "1234"}', '{"a_token": "****"}'),
    ("secret:\n  name: db\n  value: abc\n", "secret:\n  name: db\n  value: ***\n"),
    ("passwd: files2\n", "passwd: ******\n"),
    ('{"secret_id": "3f9a1c7e-5b2d"}', '{"secret_id": "*************"}'),
    ('{"secret_id": "abc/d3f"}', '{"secret_id": "*******"}'),
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_stays(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text, masked", SECRET)
def test_what_is_masked_all_the_same(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_a_word_is_a_label_only_if_it_names_what_it_labels() -> None:
    for label in ("Zugriffstoken", "Jeton", "Token"):
        assert find(f'{{"token": "{label}"}}') == []
    assert find('{"token": "Correcthorsebattery"}') == [(11, 30)]
