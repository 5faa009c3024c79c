//! What to do about what the kubelet refuses.

mod document;
mod field;
mod syntax;
mod value;

use std::path::Path;

use crate::config::{ExecApiVersion, GROUP};
use crate::finding::{Finding, FindingCode};
use crate::startup::nearby_program;
use crate::version::{SERVICE_ACCOUNT_TOKENS, Target, gate_versions, known_gates};

/// What to do about `finding`. Every finding has a hint; it holds no value that may be secret.
pub fn hint(finding: &Finding, target: &Target) -> String {
    if let Some(template) = document::template_hint(finding) {
        return template;
    }
    let message = finding.message.as_str();
    match finding.code {
        FindingCode::BinDir => {
            "correct `--image-credential-provider-bin-dir`, or create the directory".to_owned()
        }
        FindingCode::Unreadable => unreadable(message, target),
        FindingCode::NoFiles => {
            "file names must end in `.yaml`, `.yml` or `.json`, in lower case; subdirectories are \
             not read"
                .to_owned()
        }
        FindingCode::Syntax => syntax::hint(finding),
        FindingCode::WrongDocument => document::hint(finding),
        FindingCode::WrongType => value::type_hint(finding),
        FindingCode::UnknownField => field::unknown(finding),
        FindingCode::LaterField => later_field(finding, target),
        FindingCode::DuplicateField if message.contains("providers\" already set") => {
            "keep one `providers:` list, and move the entries of the second into it".to_owned()
        }
        FindingCode::DuplicateField => "remove one of the two".to_owned(),
        FindingCode::NoProviders => {
            "list at least one provider under `providers:`; `pullpass config NAME` prints one"
                .to_owned()
        }
        FindingCode::ProviderName => provider_name(message),
        FindingCode::DuplicateProvider => "give each provider its own name; to use one program \
             twice, add a symbolic link to it under another name"
            .to_owned(),
        FindingCode::NoExecApiVersion => {
            format!("set `apiVersion: {}` in this provider", ExecApiVersion::V1.as_str())
        }
        FindingCode::ExecApiVersion => {
            format!("write `apiVersion: {}`", ExecApiVersion::V1.as_str())
        }
        FindingCode::NoMatchImages => {
            "list the images that this provider is for, such as `matchImages: \
             [\"registry.example\"]`"
                .to_owned()
        }
        FindingCode::MatchImage => pattern_hint(message).to_owned(),
        FindingCode::NoCacheDuration => "set it, such as `defaultCacheDuration: 10m`".to_owned(),
        FindingCode::NegativeCacheDuration => {
            "write `0s` to cache nothing, or a duration such as `10m`".to_owned()
        }
        FindingCode::TokensDisabled => format!(
            "start the kubelet with `--feature-gates={SERVICE_ACCOUNT_TOKENS}=true`, and give \
             this command the same option; the gate is on by default from 1.34"
        ),
        FindingCode::TokensNeedV1 => format!(
            "set this provider's `apiVersion` to `{}`; its program must support that version",
            ExecApiVersion::V1.as_str()
        ),
        FindingCode::NoAudience => "set `serviceAccountTokenAudience` to the audience that the \
             registry or its token endpoint expects"
            .to_owned(),
        FindingCode::NoRequireServiceAccount => {
            "set `requireServiceAccount: true`; with `false` the plugin also runs, without a \
             token, for pods that have no service account"
                .to_owned()
        }
        FindingCode::AnnotationsWithoutAccount => "set `requireServiceAccount: true`, or move the \
             keys to `optionalServiceAccountAnnotationKeys`"
            .to_owned(),
        FindingCode::AnnotationKey => annotation_key(message),
        FindingCode::NoCacheType => "set `cacheType: Token`; `ServiceAccount` only where the \
             credential outlives the pod's token"
            .to_owned(),
        FindingCode::CacheType => {
            "write `Token` or `ServiceAccount`, exactly so: it is case-sensitive".to_owned()
        }
        FindingCode::FeatureGate => feature_gate(message, target),
        FindingCode::ProgramMissing => missing_program(finding.path.as_deref()),
        FindingCode::ProgramDangling => format!(
            "`{}` is a broken symbolic link: install the program that it points to, or correct \
             the link",
            display_path(finding.path.as_deref())
        ),
        FindingCode::ProgramDirectory => {
            format!(
                "`{}` is a directory; put the program in its place",
                display_path(finding.path.as_deref())
            )
        }
        FindingCode::ProgramNotExecutable => format!(
            "run `chmod +x {}`; if it is executable already, its file system is mounted `noexec`",
            display_path(finding.path.as_deref())
        ),
        FindingCode::ProgramUnreadable => {
            format!(
                "make sure that root can read `{}` and the directories above it",
                display_path(finding.path.as_deref())
            )
        }
    }
}

/// How to write a pattern that the kubelet cannot parse; `error` is in its words.
pub fn pattern_hint(error: &str) -> &'static str {
    match error.contains("invalid port") {
        true => {
            "a port is a number, and no `*` covers one: write each, such as `registry.example:5000`"
        }
        false => {
            "a pattern is `host[:port][/path]`, where `*` covers one label of the host; it has no \
             spaces, no `%` and no `{}`"
        }
    }
}

fn later_field(finding: &Finding, target: &Target) -> String {
    let version = target.version;
    let is_tokens = finding.message.ends_with(".tokenAttributes\"");
    let is_in_tokens = finding.message.contains("tokenAttributes.");
    match version.minor() {
        33.. if is_tokens => format!(
            "write `apiVersion: {GROUP}/v1` at the top of the file: only that version has \
             `tokenAttributes`"
        ),
        _ if !is_tokens && !is_in_tokens => field::unknown(finding),
        _ => format!(
            "kubelet {version} does not know this field: remove it, or upgrade the kubelet; \
             `tokenAttributes` needs 1.33 and `{GROUP}/v1`, and its `cacheType` needs 1.34"
        ),
    }
}

fn display_path(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

fn unreadable(message: &str, target: &Target) -> String {
    if message.contains("is empty") {
        return "give `--image-credential-provider-config` the path of a file".to_owned();
    }
    if message.contains("is a directory") && !target.reads_directories() {
        return format!(
            "kubelet {} reads a single file; a directory needs 1.34 or later",
            target.version
        );
    }
    if message.contains("not read here") {
        return "put the configuration into a regular file of at most 4 MiB".to_owned();
    }
    if message.contains("no such file") {
        return "correct the path: it is the value of `--image-credential-provider-config`"
            .to_owned();
    }
    "the kubelet reads it as root: check the permissions of the file and of the directories above \
     it"
    .to_owned()
}

fn provider_name(message: &str) -> String {
    if message.contains("'/'") {
        "write only the program's file name; `--image-credential-provider-bin-dir` names its \
         directory"
            .to_owned()
    } else if message.contains("spaces") {
        "give the program a file name without spaces, or add a symbolic link with such a name"
            .to_owned()
    } else {
        "write the file name of a program in the bin dir".to_owned()
    }
}

fn annotation_key(message: &str) -> String {
    if message.contains("Duplicate value") {
        "list the key once".to_owned()
    } else if message.contains("both required and optional") {
        "list the key in one of the two only".to_owned()
    } else {
        "write the key as in the `annotations` of the service account: `[DOMAIN/]NAME`".to_owned()
    }
}

fn feature_gate(message: &str, target: &Target) -> String {
    let version = target.version;
    if message.contains("is locked to") {
        return format!("remove it: in kubelet {version} this gate can no longer be changed");
    }
    if let Some((name, missing)) = message.split_once(" is enabled, but depends on features ") {
        let missing = missing.rsplit('[').next().unwrap_or_default().trim_end_matches(']');
        return format!(
            "also set {}, or set `{name}=false`",
            missing
                .split(' ')
                .map(|gate| format!("`{gate}=true`"))
                .collect::<Vec<_>>()
                .join(" and ")
        );
    }
    let name = message.rsplit(' ').next().unwrap_or_default();
    match gate_versions(name) {
        Some((_, last)) if last < version.minor() => {
            format!("remove it: the gate was removed in 1.{}", last + 1)
        }
        Some((first, _)) if first > version.minor() => {
            format!("remove it: the gate was added in 1.{first}")
        }
        _ if name == "KubeletCredentialProviders" => {
            "remove it: credential providers are always on from 1.26, and the gate was removed in \
             1.28"
                .to_owned()
        }
        _ => match field::nearest(name, known_gates(version)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("remove it: kubelet {version} has no gate of this name"),
        },
    }
}

fn missing_program(path: Option<&Path>) -> String {
    let path = path.unwrap_or(Path::new(""));
    match nearby_program(path) {
        Some(nearby) => format!(
            "there is no `{}`, but there is `{}`: rename it, or add a symbolic link",
            path.display(),
            nearby.display()
        ),
        None => format!("there is no `{}`: install the program there", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_hint() {
        for code in FindingCode::ALL {
            let finding = Finding::new(*code, "");
            assert!(!hint(&finding, &Target::default()).is_empty(), "{code}");
        }
    }

    #[test]
    fn gates_that_are_gone_or_misspelt() {
        for (name, minor, expected) in [
            ("KubeletCredentialProviders", 37, "removed in 1.28"),
            ("APIListChunking", 34, "removed in 1.33"),
            ("KubeletServiceAccountTokenForCredentialProviders", 32, "added in 1.33"),
            ("SideCarContainers", 34, "did you mean `SidecarContainers`?"),
            ("X", 34, "kubelet 1.34 has no gate of this name"),
        ] {
            let message = format!("unrecognized feature gate: {name}");
            let version = crate::KubeletVersion::new(minor).expect("known");
            let finding = Finding::new(FindingCode::FeatureGate, message);
            let hint = hint(&finding, &Target::new(version));
            assert!(hint.contains(expected), "{name}: {hint}");
        }
    }

    #[test]
    fn a_gate_that_is_needed_is_named() {
        let gates = "UserNamespacesHostNetworkSupport=true,NodeDeclaredFeatures=false";
        let version = crate::KubeletVersion::new(36).expect("known");
        let target = Target { version, gates: gates.parse().expect("gates") };
        let error = crate::startup(Path::new(""), None, &target).error.expect("refused");
        let hints: Vec<String> = error.findings.iter().map(|found| hint(found, &target)).collect();
        assert!(
            hints.contains(
                &"also set `NodeDeclaredFeatures=true`, or set \
                  `UserNamespacesHostNetworkSupport=false`"
                    .to_owned()
            ),
            "{hints:?}"
        );
    }

    #[test]
    fn a_program_of_nearly_the_same_name_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ecr-credential-provider");
        for (name, is_near) in [
            ("acr-credential-provider-x", false),
            ("ecr-credential-provider-linux-amd64", true),
            ("ECR-Credential-Provider.exe", true),
            ("ecr-credentials-provider", true),
        ] {
            std::fs::write(folder.path().join(name), "").expect("a file");
            let hint = missing_program(Some(&path));
            assert_eq!(hint.contains(&format!("{name}`: rename it")), is_near, "{hint}");
            std::fs::remove_file(folder.path().join(name)).expect("removed");
        }
    }
}
