"""Secrets that statements, directives and commands give, and what databases say of them."""

from __future__ import annotations

import json

import pytest
from support.said_ways import is_left, shown_ways

from wireproof.redact.secrets import Finder, mask_spans, mask_text

SECRET = "9fQ2bD7xVtLm4sKp8RwZ"
TEXTS = [
    # hashes by their scheme, whatever stands before
    "userPassword: {SSHA}{}\n",
    "rootpw {SSHA512}{}\n",
    "password={CRYPT}$1$abc${}\n",
    '{"password":"{bcrypt}$2a$10${}"}',
    "anna:{BLF-CRYPT}{}:1000\n",
    "password: '{noop}{}'\n",
    "{xor}{}\n",
    # directives
    "requirepass {}\n",
    'CONFIG SET requirepass "{}"\n',
    "bind 0.0.0.0\nrequirepass {}\nmaxmemory 1gb\n",
    "cd a\nzip -r -P {} a.zip b\n",
    "cd a\nsqlplus scott/{}@db\n",
    "masterauth   {}\n",
    "bindpw {}\n",
    "enable secret 9 {}\n",
    "neighbor 10.0.0.1 password 7 {}\n",
    # commands
    'echo "::add-mask::{}"\n',
    'ConvertTo-SecureString "{}" -AsPlainText -Force\n',
    "ConvertTo-SecureString -String '{}' -AsPlainText\n",
    "jdbc:oracle:thin:scott/{}@db:1521/x",
    "sqlplus -s scott/{}@db\n",
    'curl_setopt($c, CURLOPT_USERPWD, "anna:{}");',
    'jwt.encode(claims, "{}", algorithm="HS256")',
    "mysqli_connect('db', 'anna', '{}', 'main')",
    "openssl enc -aes-256-cbc -k {} -in a\n",
    "zip -r -P {} a.zip b\n",
    "7z a -p{} a.7z b\n",
    "ldapsearch -D cn=a -w '{}' -b b\n",
    "smbclient //a/b -U anna%{}\n",
    "snmpwalk -v3 -A {} a\n",
    "useradd -m -p '{}' anna\n",
    "sudo htpasswd -b file anna {}\n",
    "gh secret set TOKEN --body {}\n",
    "ssh-keygen -t ed25519 -N '{}' -f id\n",
    "ssh-keygen -p -P {} -f id\n",
    "xfreerdp /u:anna /p:{} /v:a\n",
    "net use Z: \\\\a\\share /user:anna {}\n",
    "keytool -genkey -storepass {} -alias a\n",
    "keytool -list -keypass '{}'\n",
    "curl --user=anna:{} https://a.example\n",
    "aws ssm put-parameter --name /a/db/password --value {} --type String\n",
    "aws ssm put-parameter --name /a --type SecureString --value '{}'\n",
    # more directives and settings
    "tacacs-server key {}\n",
    "crypto isakmp key {} address 10.0.0.1\n",
    "stats auth anna:{}\n",
    '10.0.0.1 10.0.0.2 : PSK "{}"\n',
    'BUNDLE_GEMS__EXAMPLE__COM: "anna:{}"\n',
    'poll a proto imap user "anna" pass "{}"\n',
    "/msg NickServ IDENTIFY {}\n",
    'Hawk id="a", nonce="b", mac="{}"\n',
    # SQL
    "ALTER USER anna IDENTIFIED WITH mysql_native_password BY '{}';",
    "CREATE USER anna IDENTIFIED BY {};",
    'CREATE USER anna IDENTIFIED BY "{}";',
    # code
    'password <- "{}"\n',
    'Config {\n    api_key: Some(\n        "{}",\n    ),\n}',
    'headers = {"Authorization": "Bearer " + "{}"}',
    'Fernet(b"{}")',
    "hmac.new(b'{}', b, 'sha256')",
    'createHmac("sha256", "{}")',
    # prose
    "I have set your password to {}.",
    'I changed the password to "{}".',
    "The access token you need is `{}`.",
    "The password for the database is {}.",
    # what installers and servers say
    "A temporary password is generated for root@localhost: {}\n",
    "Please use the following password to proceed to installation:\n\n{}\n\nThis may also",
    "Unseal Key 1: {}\nUnseal Key 2: b\n",
    "Authorization header: Bearer {}\n",
    # what databases say
    "DETAIL:  Key (api_key)=({}) already exists.",
    "DETAIL:  Key (tenant, token)=(7, {}) already exists.",
    'E11000 duplicate key error index: token_1 dup key: { a.token: "{}" }',
]

COMMANDS = [
    "mongosh -u anna -p {} --host a",
    "mongo -u anna -p {} a",
    "mongosh -p {}",
    "mongodump -u a -p {}",
    "mysql -p{}",
    "mysql -uroot -p{} shop",
    "mysql -u root -p'{}' shop",
    "mysqldump -u root -p{} shop > x.sql",
    "mariadb -u root -p{} shop",
    "mycli -u root -p {}",
    "PGPASSWORD={} psql -h a",
    "PGPASSWORD='{}' psql -h a",
    "MYSQL_PWD={} mysql",
    "sshpass -p {} ssh a",
    "sshpass -p{} ssh a",
    "redis-cli -a {}",
    "redis-cli -h a -a {} ping",
    "REDISCLI_AUTH={} redis-cli",
    "curl -u anna:{} https://a.example",
    "curl --user anna:{} https://a.example",
    "wget --user anna --password {} a",
    "wget --http-password={} a",
    "http -a anna:{} a.example",
    "ldapsearch -x -D cn=a -w {} -b b",
    "ldapadd -x -D cn=a -w {} -f a.ldif",
    "ldappasswd -s {} -w a",
    "ldapdelete -w {} x",
    "openssl enc -d -pass pass:{} -in a",
    "openssl rsa -passin pass:{} -in a",
    "openssl req -passout pass:{} -new",
    "openssl pkcs12 -export -password pass:{}",
    "openssl enc -aes-256-cbc -k {} -in a",
    "gpg --batch --passphrase {} -c a",
    "rabbitmqctl add_user anna {}",
    "rabbitmqadmin -u guest -p {} list queues",
    "mosquitto_pub -u anna -P {} -t a",
    "mosquitto_sub -h a -u anna -P {}",
    "nats --user a --password {} pub",
    "cqlsh -u anna -p {}",
    "clickhouse-client -u a --password {}",
    "influx -username a -password {}",
    "sqlcmd -S a -U sa -P {}",
    "sqlcmd -S a -U sa -P '{}'",
    "bcp a out b -U sa -P {}",
    "tsql -H a -U sa -P {}",
    "isql -U sa -P {}",
    "impala-shell -l -u a -p {}",
    "beeline -u jdbc:hive2://a -n anna -p {}",
    "docker login -u anna -p {}",
    "podman login -u anna -p {} a",
    "helm registry login a -u anna -p {}",
    "oc login -u anna -p {}",
    "oc login --token={}",
    "kubectl config set-credentials anna --password={}",
    "crane auth login -u anna -p {} a",
    "skopeo copy --src-creds anna:{} docker://a",
    "buildah login -u anna -p {} a",
    "smbclient -U anna%{} //a/b",
    "smbmap -u anna -p {} -H a",
    "crackmapexec smb a -u anna -p {}",
    "mount -t cifs //a/b /c -o username=anna,password={}",
    "lftp -u anna,{} a",
    "ncftp -u anna -p {} a",
    "ftp ftp://anna:{}@a/",
    "svn co a --username anna --password {}",
    "hg clone https://anna:{}@a/b",
    "keytool -storepass {} -alias a",
    "jarsigner -storepass {} a.jar",
    "zip -P {} a.zip b",
    "unzip -P {} a.zip",
    "7z x -p{} a.7z",
    "rar a -hp{} a.rar b",
    "unrar x -p{} a.rar",
    "unrar x -hp{} a.rar",
    "wpa_passphrase home {}",
    "nmcli dev wifi connect home password {}",
    "htpasswd -bc f anna {}",
    "mc alias set a https://b anna {}",
    "vault login {}",
    "vault kv put secret/a password={}",
    "consul kv put db/password {}",
    "etcdctl --user anna:{} get a",
    "etcdctl user add anna:{}",
    "snmpwalk -v2c -c {} a",
    "ipmitool -H a -U anna -P {} power on",
    "xfreerdp /u:anna /p:{} /v:a",
    "rdesktop -u anna -p {} a",
    "rclone config create a ftp pass {}",
    "aws configure set aws_secret_access_key {}",
    "heroku config:set API_KEY={}",
    "flyctl secrets set DB_PASSWORD={}",
    "gcloud sql users set-password anna --password={}",
    "ansible-playbook -e ansible_password={} a",
    'ansible a -e "ansible_become_pass={}"',
    "useradd -p {} anna",
    "java -Djavax.net.ssl.keyStorePassword={} -jar a",
    "mvn deploy -Dpassword={}",
    "npm config set //r/:_authToken {}",
    "pip install --index-url https://anna:{}@a/simple",
    "twine upload -u anna -p {} dist/*",
    "cargo login {}",
    "nuget push a.nupkg -ApiKey {}",
    "dotnet nuget push a -k {}",
    "gh auth login --with-token <<< {}",
    "glab auth login -t {}",
    "sentry-cli --auth-token {} releases",
    "stripe --api-key {} charges",
    "ngrok config add-authtoken {}",
    "doctl auth init -t {}",
    "linode-cli --token {} x",
    "hcloud context create --token {}",
    'psql "host=a user=b password={}"',
    "psql postgresql://anna:{}@a/b",
    'pg_dump "password={} host=a"',
    "tower-cli login anna --password {}",
    "hydra -l anna -p {} ssh://a",
    "kinit anna <<< {}",
    "cqlsh a -u anna --password={}",
    "neo4j-admin set-initial-password {}",
    "cypher-shell -u neo4j -p {}",
    "elasticsearch-users useradd anna -p {} -r a",
    "kafka-configs --alter --add-config 'SCRAM-SHA-256=[password={}]' ",
    "grafana-cli admin reset-admin-password {}",
    "wp user create anna a@b.c --user_pass={}",
    "rails c -e \"User.create(password: '{}')\"",
    "chpasswd <<< 'anna:{}'",
    "mysqladmin -u root password {}",
    "mysqladmin password '{}'",
]


@pytest.mark.parametrize("form", COMMANDS)
@pytest.mark.parametrize("secret", ["S0mmer2026", SECRET])
def test_no_secret_of_a_command_is_left(form: str, secret: str) -> None:
    text = form.replace("{}", secret)
    for way, shown in shown_ways(text):
        assert not is_left(secret, shown), way
    in_json = json.dumps({"a": f"cd b\n{text} && ls"})
    for one in (in_json, json.dumps({"c": in_json})):
        assert not is_left(secret, mask_text(one))


@pytest.mark.parametrize("form", [*TEXTS, *(json.dumps({"a": one}) for one in TEXTS)])
def test_a_secret_is_masked(form: str) -> None:
    """Whole, and cut anywhere inside it and before."""
    before, _, after = form.rpartition("{}")
    whole = before + SECRET + after
    assert SECRET not in mask_text(whole)
    for cut in range(len(before) + len(SECRET) + 1):
        finder = Finder()
        pieces = [mask_spans(one, finder.feed(one)) for one in (whole[:cut], whole[cut:])]
        assert [at for at in range(13) if SECRET[at : at + 8] in "".join(pieces)] == []


@pytest.mark.parametrize(
    "form",
    [
        'sql.Open("mysql", "anna:{}@tcp(db:3306)/a")',
        "anna:{}@unix(/tmp/a.sock)/a",
        "Use `{}` as the API key.",
        'Enter "{}" for your access token',
    ],
)
def test_a_value_before_what_tells_it(form: str) -> None:
    text = form.replace("{}", SECRET)
    for one in (text, json.dumps({"a": f"b\n{text}"})):
        assert mask_text(one) == one.replace(SECRET, "*" * len(SECRET))
        finder = Finder()
        shown = [mask_spans(piece, finder.feed(piece)) for piece in (one[:-9], one[-9:], " ")]
        assert len("".join(shown)) == len(one) + 1


@pytest.mark.parametrize(
    "text",
    [
        "The {SSHA} scheme has a salt, {bcrypt} has one too.",
        "The requirepass directive sets a password. Set requirepass.",
        "# requirepass foobared\n",
        "requirepass ${REDIS_PASSWORD}\n",
        '::add-mask::$TOKEN and "::add-mask::${{ steps.a.outputs.token }}"',
        "ConvertTo-SecureString $password -AsPlainText -Force\n",
        "sqlplus user/password@db\n",
        "jwt.encode(claims, secret, algorithm='HS256')",
        "mysqli_connect($host, $user, $password, $db)",
        "Key (id)=(5) already exists.",
        "Duplicate entry 'anna@example.com' for key 'users.email'",
        "zip -r a.zip b, 7z a a.7z b, openssl enc -k $PASSWORD",
        "useradd -m -s /bin/bash anna\n",
        "The temporary password is sent by mail: see the instructions.",
        "secret 5 of 7, password 8 characters long",
        "ssh-keygen -t ed25519 -N '' -f id, ssh-keygen -N $PASS",
        "keytool -storepass env:STOREPASS -keypass file:pass.txt",
        'name = "ISAKMP Key Exchange"\nname = "Crypto ISAKMP"\n',
        "users are identified by email, and identified by name2 in lists",
        "Set the password to at least 12 characters; reset the token to 30minutes.",
        "Send the password to server2.example.com, and the API key to worker-12.",
        "The password hash is bcrypt, the token type is oauth2, the session length is 30minutes.",
        "The session cookie is called sid2, the password was changed 2026-11-30.",
        "Use `X-Api-Key` as the API key header, and `HS256` for tokens.",
        'x <- "password", token <- get_token(user)',
        '"Bearer " + token, "Bearer " + "<token>"',
        'sql.Open("mysql", "user:password@tcp(localhost:3306)/db")',
        "aws ssm put-parameter --name /a/limit --value 12345678 --type String\n",
        "/msg NickServ IDENTIFY password",
        'mac="00:1a:2b:3c:4d:5e"',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_text(text) == text
