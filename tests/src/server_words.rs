//! What servers say when they refuse: error texts of the field, one per line, with the names of
//! the tests' own world in them.

/// The texts, as they come.
pub fn server_words() -> impl Iterator<Item = &'static str> {
    include_str!("server_words.txt").lines()
}

#[cfg(test)]
mod tests {
    use pullpass::http::SentSecrets;
    use pullpass::text::one_line;
    use serde_json::json;

    use super::*;
    use crate::jwt::{self, SigningKey};

    /// The longest quote, in characters.
    const LONGEST: usize = 300;

    /// A token as a kubelet gets it for a pod, with the names that the texts have too.
    fn pods_token(audience: &str) -> String {
        let claims = json!({
            "aud": [audience],
            "exp": 1_773_224_364,
            "iat": 1_773_220_764,
            "iss": "https://oidc.cluster.example",
            "jti": "5d4c3b2a-1f0e-4d3c-8b2a-190817263544",
            "kubernetes.io": {
                "namespace": "demo",
                "node": {"name": "node-1", "uid": jwt::random_uuid()},
                "pod": {"name": "web-6d4f9c7b8-x2x9k", "uid": jwt::random_uuid()},
                "serviceaccount": {"name": "web", "uid": jwt::random_uuid()},
            },
            "nbf": 1_773_220_764,
            "sub": "system:serviceaccount:demo:web",
        });
        let key = SigningKey::generate();
        key.sign_with_header(&json!({"alg": "RS256", "kid": key.kid()}), &claims)
    }

    /// Of Entra and of a registry.
    fn azures_token() -> String {
        let claims = json!({
            "aud": "https://containerregistry.azure.net",
            "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
            "appid": "a1b2c3d4-0000-4444-8888-123456789abc",
            "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "grant_type": "refresh_token",
            "permissions": {"actions": ["read", "write", "delete", "metadata/read"]},
            "uti": jwt::random_text(16),
        });
        SigningKey::generate().sign(&claims)
    }

    /// Every kind of secret that a plugin sends, all sent in one run.
    fn sent() -> SentSecrets {
        let sent = SentSecrets::default();
        for audience in [
            "sts.amazonaws.com",
            "api://AzureADTokenExchange",
            "https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/edge/providers/k3s",
            "registry.example",
            "vault",
        ] {
            sent.remember(&pods_token(audience));
        }
        sent.remember(&azures_token());
        // AWS: a secret key, a session token, a signature; ECR's password is larger than all.
        sent.remember(&jwt::random_text(30));
        sent.remember(&format!("IQoJb3JpZ2luX2VjEHoaCXVzLXdlc3QtMiJ{}==", jwt::random_text(600)));
        sent.remember("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
        // Entra's client secrets, Vault's tokens, Google's, a metadata service's, a password.
        sent.remember("Qx8~T7.hPz_4vJ2-nL9wRkEo1uYb6sGd3mCfAi0q");
        sent.remember(&format!("hvs.CAESI{}", jwt::random_text(60)));
        sent.remember(&format!("ya29.d.{}", jwt::random_text(150)));
        sent.remember("AQAEAFTNrA4eEGx0AQgJ1arIq_Cc-t4tWt3fB0Hd8RKhXlKc5ccvhg==");
        sent.remember_basic("puller", "s3cr3t-Horse-battery");
        sent.remember_basic("a1b2c3d4-0000-4444-8888-123456789abc", &jwt::random_text(24));
        sent
    }

    #[test]
    fn there_are_many_and_none_twice() {
        let mut words: Vec<&str> = server_words().collect();
        let count = words.len();
        assert!(count >= 200, "{count}");
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn no_ordinary_text_is_withheld() {
        let words: Vec<&str> = server_words().collect();
        // A random part of a secret may be in a text by chance, but not twice.
        let rounds = [sent(), sent()];
        // Together, as comparing costs by the secrets; and as few as are compared whole.
        for together in words.chunks(5) {
            assert!(together.concat().chars().count() < 4000, "{together:?}");
            assert!(!rounds.iter().all(|sent| sent.occur_in(together)), "{together:?}");
        }
        for words in words {
            let line = one_line(words);
            let [quoted] = SentSecrets::default().quote([words]);
            match quoted.strip_suffix("...").filter(|_| line.chars().count() > LONGEST) {
                // Cut between words: a part of a long one may be a part of a token.
                Some(shown) => {
                    assert!(line.starts_with(shown) && shown.chars().count() > LONGEST - 50);
                }
                None => assert_eq!(quoted, line),
            }
        }
    }

    #[test]
    fn no_ordinary_text_is_taken_for_a_token() {
        let masked: Vec<&str> =
            server_words().filter(|words| one_line(words).contains("[token]")).collect();
        assert!(masked.is_empty(), "{}", masked.join("\n"));
    }
}
