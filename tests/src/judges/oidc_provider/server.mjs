// An authorization server made of the npm package `oidc-provider`. The package parses requests,
// authenticates clients, issues tokens and words the errors. Ours are two grant handlers, and they
// leave the cluster's token to `jose`.
//
// Its one argument is a file with the options that `oidc_provider.rs` writes.

import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { Provider, errors } from 'oidc-provider';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

const options = JSON.parse(readFileSync(process.argv[2], 'utf8'));

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TYPE = 'urn:ietf:params:oauth:token-type:';
// Of the subject; which of them it is changes nothing: a service account's token is all of these.
const SUBJECT_TYPES = ['jwt', 'id_token', 'access_token'].map((name) => TYPE + name);

const tls = options.tls && {
  cert: readFileSync(options.tls.certificate),
  key: readFileSync(options.tls.key),
  ca: options.tls.clientCa && readFileSync(options.tls.clientCa),
  requestCert: true,
  // Whether it is enough is for the client's own method to say.
  rejectUnauthorized: false,
};
let answer;
const server = tls
  ? https.createServer(tls, (request, response) => answer(request, response))
  : http.createServer((request, response) => answer(request, response));

server.listen(0, '127.0.0.1', () => {
  const { address, port } = server.address();
  const scheme = tls ? 'https' : 'http';
  const provider = authorizationServer(options.issuer ?? `${scheme}://${address}:${port}`);
  answer = provider.callback();
  console.log(`listening on ${address}:${port}\n`);
});

function authorizationServer(issuer) {
  const provider = new Provider(issuer, {
    clients: options.clients,
    clientAuthMethods: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      ...(tls ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
    ],
    responseTypes: [],
    scopes: options.scopes,
    ttl: { ClientCredentials: options.lifetime },
    extraTokenClaims: (ctx) => ctx.state.subject && { subject: ctx.state.subject },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      mTLS: {
        enabled: Boolean(tls),
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_san_dns'
          && ctx.socket.getPeerX509Certificate().checkHost(expected) !== undefined,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (ctx, resource) => resourceServer(resource),
      },
    },
  });
  provider.registerGrantType(
    EXCHANGE,
    exchange(provider),
    [
      'subject_token', 'subject_token_type', 'requested_token_type', 'actor_token',
      'actor_token_type', 'audience', 'resource', 'scope',
    ],
    // RFC 8693, section 2.1: these two may be repeated, no other.
    ['audience', 'resource'],
  );
  provider.registerGrantType(BEARER, bearer(provider), ['assertion', 'scope']);
  provider.on('server_error', (ctx, error) => console.log(`server error: ${error.stack}`));
  provider.use(async (ctx, next) => {
    await next();
    const refusal = ctx.status < 400 ? '' : ` ${JSON.stringify(ctx.body)}`;
    console.log(`${ctx.method} ${ctx.path} ${ctx.status}${refusal}`);
  });
  return provider;
}

function exchange(provider) {
  const verify = clusterToken();
  return async (ctx) => {
    const { params } = ctx.oidc;
    for (const name of ['subject_token', 'subject_token_type']) {
      if (!params[name]) {
        throw new errors.InvalidRequest(`missing required parameter '${name}'`);
      }
    }
    if (params.actor_token || params.actor_token_type) {
      throw new errors.InvalidRequest('actor tokens are not supported');
    }
    if (!SUBJECT_TYPES.includes(params.subject_token_type)) {
      throw new errors.InvalidRequest('subject_token_type is not supported');
    }
    const requested = params.requested_token_type ?? `${TYPE}access_token`;
    if (requested !== `${TYPE}access_token`) {
      throw new errors.InvalidRequest('requested_token_type is not supported');
    }
    let claims;
    try {
      claims = await verify(params.subject_token);
    } catch (cause) {
      throw new errors.InvalidRequest(`subject_token: ${cause.message}`);
    }
    const targets = [params.audience ?? [], params.resource ?? []].flat();
    if (targets.length > 1) {
      throw new errors.InvalidTarget('one target at a time');
    }
    await issue(provider, ctx, claims, targets[0]);
    ctx.body.issued_token_type = requested;
  };
}

function bearer(provider) {
  const verify = clusterToken();
  return async (ctx) => {
    const { params } = ctx.oidc;
    if (!params.assertion) {
      throw new errors.InvalidRequest("missing required parameter 'assertion'");
    }
    let claims;
    try {
      claims = await verify(params.assertion);
    } catch (cause) {
      throw new errors.InvalidGrant(`assertion: ${cause.message}`);
    }
    await issue(provider, ctx, claims, undefined);
  };
}

function clusterToken() {
  const keys = createRemoteJWKSet(new URL(options.clusterKeys));
  return async (token) => {
    // Else a failure to fetch the keys reads like a bad token.
    decodeProtectedHeader(token);
    const { payload } = await jwtVerify(token, keys, {
      issuer: options.clusterIssuer,
      audience: options.clusterAudience,
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  };
}

async function issue(provider, ctx, claims, target) {
  const { client, params } = ctx.oidc;
  const scopes = (params.scope ?? '').split(' ').filter(Boolean);
  const unknown = scopes.find((scope) => !options.scopes.includes(scope));
  if (unknown) {
    throw new errors.InvalidScope('requested scope is not allowed', unknown);
  }
  const token = new provider.ClientCredentials({ client, scope: scopes.join(' ') || undefined });
  ctx.state.subject = claims.sub;
  const resource = target ?? options.defaultTarget;
  if (resource) {
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource));
  }
  ctx.oidc.entity('ClientCredentials', token);
  ctx.body = {
    access_token: await token.save(),
    expires_in: token.expiration,
    token_type: token.tokenType,
    ...(token.scope && { scope: token.scope }),
  };
}

function resourceServer(name) {
  if (!options.targets.includes(name)) {
    throw new errors.InvalidTarget();
  }
  return {
    scope: options.scopes.join(' '),
    audience: name,
    accessTokenTTL: options.lifetime,
    accessTokenFormat: options.opaque ? 'opaque' : 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  };
}
