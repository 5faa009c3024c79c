//! The Go types of the configuration, as they were in each version.

use crate::schema::Type;

const ENV: Type = Type::Struct("ExecEnvVar", &[("name", Type::String), ("value", Type::String)]);

const TOKENS: Type = Type::Struct(
    "ServiceAccountTokenAttributes",
    &[
        ("serviceAccountTokenAudience", Type::String),
        ("requireServiceAccount", Type::Bool),
        ("requiredServiceAccountAnnotationKeys", Type::Array(&Type::String)),
        ("optionalServiceAccountAnnotationKeys", Type::Array(&Type::String)),
    ],
);

const TOKENS_WITH_CACHE_TYPE: Type = Type::Struct(
    "ServiceAccountTokenAttributes",
    &[
        ("serviceAccountTokenAudience", Type::String),
        ("cacheType", Type::Named("ServiceAccountTokenCacheType")),
        ("requireServiceAccount", Type::Bool),
        ("requiredServiceAccountAnnotationKeys", Type::Array(&Type::String)),
        ("optionalServiceAccountAnnotationKeys", Type::Array(&Type::String)),
    ],
);

macro_rules! config_type {
    ($name:ident $(, $tokens:expr)?) => {
        pub(super) const $name: Type = Type::Struct(
            "CredentialProviderConfig",
            &[
                ("kind", Type::String),
                ("apiVersion", Type::String),
                (
                    "providers",
                    Type::Array(&Type::Struct(
                        "CredentialProvider",
                        &[
                            ("name", Type::String),
                            ("matchImages", Type::Array(&Type::String)),
                            ("defaultCacheDuration", Type::Duration),
                            ("apiVersion", Type::String),
                            ("args", Type::Array(&Type::String)),
                            ("env", Type::Array(&ENV)),
                            $(("tokenAttributes", $tokens),)?
                        ],
                    )),
                ),
            ],
        );
    };
}

config_type!(CONFIG);
config_type!(CONFIG_WITH_TOKENS, TOKENS);
config_type!(CONFIG_WITH_CACHE_TYPE, TOKENS_WITH_CACHE_TYPE);

/// Whether a field of this name occurs anywhere in the type.
pub(super) fn knows(shape: Type, name: &str) -> bool {
    match shape {
        Type::Struct(_, fields) => {
            fields.iter().any(|(field, inner)| *field == name || knows(*inner, name))
        }
        Type::Array(item) | Type::Map(item) => knows(*item, name),
        _ => false,
    }
}
