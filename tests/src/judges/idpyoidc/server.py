"""An authorization server made of the PyPI package `idpyoidc`. The package authenticates clients,
checks the form of a token exchange (RFC 8693) and its policy, issues the token and words the errors.

It exchanges only tokens that it knows. So that a pod's token is one, `ClusterToken` stands where it
looks up ID tokens: `cryptojwt`, the library's own, decides whether the token is good, and a good one is
entered as if it had been issued here.

Its one argument is a file with the options that `idpyoidc.rs` writes.
"""

import json
import ssl
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptojwt.jws.jws import factory
from cryptojwt.jwt import JWT, utc_time_sans_frac
from cryptojwt.key_jar import KeyJar, build_keyjar
from idpyoidc.message.oauth2 import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.authn_event import create_authn_event
from idpyoidc.server.configure import ASConfiguration
from idpyoidc.server.exception import ClientAuthenticationError, UnAuthorizedClient
from idpyoidc.server.oauth2.token_helper.token_exchange import validate_token_exchange_policy
from idpyoidc.server.oidc.token_helper.token_exchange import TokenExchangeHelper
from idpyoidc.server.session.token import IDToken
from idpyoidc.server.token import Token
from idpyoidc.server.token.exception import UnknownToken

with open(sys.argv[1], encoding="utf-8") as file:
    OPTIONS = json.load(file)

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
SCOPES = OPTIONS["scopes"]


class Exchange(TokenExchangeHelper):
    """The library's, which does not know the type `jwt`."""

    token_types_mapping = {
        **TokenExchangeHelper.token_types_mapping,
        TYPE + "jwt": "id_token",
    }


class ClusterToken(Token):
    """Where the library looks up a token of the class `id_token`."""

    def __init__(self, token_class, upstream_get, **kwargs):
        super().__init__("id_token", **kwargs)
        self.upstream_get = upstream_get
        self.sessions = {}
        self.keys = None

    def info(self, token):
        claims = self.verified(token)
        session = self.sessions.get(token)
        if session is None:
            session = self.sessions[token] = self.enter(token, claims)
        return {
            "sid": session,
            "token_class": "id_token",
            "exp": claims["exp"],
            "handler": self,
        }

    def verified(self, token):
        """The claims, if signature, issuer, audience and time are right."""
        if self.keys is None:
            keys = KeyJar()
            keys.import_jwks(fetch(OPTIONS["clusterKeys"]), OPTIONS["clusterIssuer"])
            self.keys = keys
        try:
            if factory(token) is None:
                raise ValueError("no JWS")
            verifier = JWT(self.keys, iss="", allowed_sign_algs=["ES256"])
            claims = verifier.unpack(token)
        except Exception as error:
            raise refused(error) from error
        now = utc_time_sans_frac()
        if claims.get("iss") != OPTIONS["clusterIssuer"]:
            raise refused("another issuer")
        if OPTIONS["clusterAudience"] not in claims["aud"]:
            raise refused("another audience")
        if not claims["nbf"] - 60 <= now < claims["exp"]:
            raise refused("another time")
        return claims

    def enter(self, token, claims):
        """Makes the library know the token; returns its session."""
        context = self.upstream_get("context")
        context.userinfo.db[claims["sub"]] = {}
        manager = context.session_manager
        request = AuthorizationRequest(
            client_id="cluster", scope=SCOPES, response_type="code", redirect_uri="", state=""
        )
        event = create_authn_event(claims["sub"], authn_info="", authn_time=claims["iat"])
        session = manager.create_session(
            event, request, user_id=claims["sub"], client_id="cluster", scopes=SCOPES
        )
        known = IDToken(
            value=token,
            token_class="id_token",
            scope=SCOPES,
            expires_at=claims["exp"],
            usage_rules={"supports_minting": ["access_token"]},
        )
        manager.get_grant(session).issued_token.append(known)
        return session


def refused(reason):
    print(f"refused: {reason}", flush=True)
    return UnknownToken(str(reason))


def fetch(url):
    context = ssl.create_default_context(cafile=OPTIONS["clusterCa"])
    with urllib.request.urlopen(url, context=context if url.startswith("https") else None) as answer:
        return json.load(answer)


def policy():
    """What may be exchanged, for whom, and into what."""
    return {
        "subject_token_types_supported": [TYPE + "jwt", TYPE + "id_token"],
        "requested_token_types_supported": [TYPE + "access_token"],
        "default_requested_token_type": TYPE + "access_token",
        "policy": {
            "": {
                "function": validate_token_exchange_policy,
                "kwargs": {
                    "audience": OPTIONS["targets"],
                    "resource": OPTIONS["targets"],
                    "scope": SCOPES,
                },
            }
        },
    }


def authorization_server(issuer):
    keys = [{"type": "EC", "crv": "P-256", "use": ["sig"]}]
    config = {
        "issuer": issuer,
        "httpc_params": {"verify": False},
        "token_handler_args": {
            "code": {"lifetime": 60, "kwargs": {"crypt_conf": encryption()}},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken"},
            "id_token": {"class": "__main__.ClusterToken"},
        },
        "endpoint": {
            "token": {
                "path": "token",
                "class": "idpyoidc.server.oauth2.token.Token",
                "kwargs": {
                    "client_authn_method": ["client_secret_basic", "client_secret_post"],
                    "grant_types_helpers": {EXCHANGE: {"class": Exchange, "kwargs": policy()}},
                },
            }
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": {}}},
        "scopes_supported": SCOPES,
        "session_params": {"encrypter": {"kwargs": encryption()["kwargs"]}},
    }
    keyjar = build_keyjar(keys)
    # To verify its own tokens, it looks for the keys under its own name.
    keyjar.import_jwks(keyjar.export_jwks(True), issuer)
    server = Server(ASConfiguration(conf=config, base_path="."), keyjar=keyjar)
    for name, secret in OPTIONS["clients"].items():
        server.context.cdb[name] = {
            "client_id": name,
            "client_secret": secret,
            "client_salt": name,
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types_supported": [EXCHANGE],
            "allowed_scopes": SCOPES,
            "redirect_uris": [],
        }
    return server


def encryption():
    return {"kwargs": {"keys": {"key_defs": [
        {"type": "OCT", "use": ["enc"], "kid": "password"},
        {"type": "OCT", "use": ["enc"], "kid": "salt"},
    ]}, "iterations": 1}}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/.well-known/oauth-authorization-server":
            self.answer(404, {"error": "not_found"})
            return
        document = SERVER.context.provider_info
        self.answer(200, {**document, "token_endpoint": f"{SERVER.context.issuer}/token"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        if self.path != "/token":
            self.answer(404, {"error": "not_found"})
            return
        headers = {"headers": {name.lower(): value for name, value in self.headers.items()}}
        endpoint = SERVER.get_endpoint("token")
        # As its own Flask example has it from Flask; here it parses the form itself.
        endpoint.request_format = "urlencoded"
        try:
            request = endpoint.parse_request(body, headers)
            answer = endpoint.process_request(request)
        except (ClientAuthenticationError, UnAuthorizedClient) as error:
            print(f"client: {error!r}", flush=True)
            self.answer(401, {"error": "invalid_client"})
            return
        except ValueError as error:
            # It leaves to the web framework what is wrong in the form itself.
            self.answer(400, {"error": "invalid_request", "error_description": str(error)})
            return
        if "error" in answer:
            self.answer(400, answer.to_dict())
        else:
            self.answer(200, answer["response_args"].to_dict())

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if status == 401:
            self.send_header("www-authenticate", 'Basic realm="judge"')
        self.end_headers()
        self.wfile.write(body)
        if status != 200:
            print(f"{status} {body.decode()}", flush=True)


LISTENER = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
PORT = LISTENER.server_port
SERVER = authorization_server(OPTIONS["issuer"] or f"http://127.0.0.1:{PORT}")
print(f"listening on 127.0.0.1:{PORT}\n", flush=True)
LISTENER.serve_forever()
