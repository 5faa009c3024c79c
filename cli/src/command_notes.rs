//! What `--help` and the manual pages say about each command, besides its options.

use std::fmt::Write as _;

/// The notes on one command.
pub(crate) struct CommandNotes {
    /// The name of its page, such as `pullpass-config-merge`.
    pub(crate) display_name: &'static str,
    /// Every exit code, with its meaning.
    pub(crate) exit_codes: &'static [(u8, &'static str)],
    /// What else one must know.
    pub(crate) notes: &'static str,
    /// A purpose, and the command line for it.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

impl CommandNotes {
    /// The end of `--help`.
    pub(crate) fn after_help(&self) -> String {
        let mut text = String::from("Exit codes:\n");
        for (code, meaning) in self.exit_codes {
            let _ = writeln!(text, "  {code}  {meaning}");
        }
        if !self.notes.is_empty() {
            let _ = writeln!(text, "\n{}", self.notes);
        }
        text.push_str("\nExamples:\n");
        for (what, example) in self.examples {
            let _ = writeln!(text, "  # {what}");
            for line in example.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }
}

/// The commands, in the order of `--help`.
pub(crate) const COMMANDS: &[CommandNotes] =
    &[CHECK, MATCH, LOOKUP, CONFIG, CONFIG_MERGE, CONFIG_REMOVE, RECORDS, DOCTOR, COMPLETIONS, MAN];

pub(crate) const CHECK: CommandNotes = CommandNotes {
    display_name: "pullpass-check",
    exit_codes: &[
        (0, "the kubelet would start"),
        (1, "the kubelet would not start; with --strict also: there is a warning"),
        (2, "the command line is wrong"),
    ],
    notes: "",
    examples: &[
        (
            "on a node, before its kubelet is restarted: the configuration and the programs",
            "pullpass check /etc/kubernetes/credential-providers.yaml \\\n    \
             --bin-dir /usr/local/lib/kubelet-plugins --kubelet-version 1.34",
        ),
        ("in CI: fail on warnings too", "pullpass check --strict credential-providers.yaml"),
    ],
};

pub(crate) const MATCH: CommandNotes = CommandNotes {
    display_name: "pullpass-match",
    exit_codes: &[
        (0, "a pattern covers an image"),
        (1, "no pattern covers any image"),
        (2, "an image, a pattern, the configuration or the command line is not valid"),
    ],
    notes: "Give the images before `--pattern`, which takes all words up to the next option.",
    examples: &[
        (
            "is a provider asked about this image?",
            "pullpass match registry.example/team/app:v1 \\\n    \
             --config /etc/kubernetes/credential-providers.yaml",
        ),
        (
            "try patterns before they are in a file",
            "pullpass match registry.example/team/app \\\n    --pattern 'registry.example' \
             '*.example'",
        ),
    ],
};

pub(crate) const LOOKUP: CommandNotes = CommandNotes {
    display_name: "pullpass-lookup",
    exit_codes: &[
        (0, "there are credentials, or nothing failed and the pull is anonymous"),
        (
            1,
            "a provider failed and there are no credentials; with --strict also: the pull is \
             anonymous",
        ),
        (
            2,
            "the kubelet would not start, or the image, the token file or the command line is not \
             valid",
        ),
    ],
    notes: "The plugins run with the environment of this command, not with that of the kubelet.",
    examples: &[
        (
            "as the node",
            "pullpass lookup registry.example/team/app:v1 \\\n    \
             --config /etc/kubernetes/credential-providers.yaml \\\n    \
             --bin-dir /usr/local/lib/kubelet-plugins",
        ),
        (
            "as a pod of the service account `web` in the namespace `shop`",
            "kubectl create token web --namespace shop --audience registry.example > token\n\
             pullpass lookup registry.example/team/app:v1 \\\n    \
             --config /etc/kubernetes/credential-providers.yaml \\\n    \
             --bin-dir /usr/local/lib/kubelet-plugins \\\n    \
             --service-account shop/web --token-file token",
        ),
    ],
};

pub(crate) const CONFIG: CommandNotes = CommandNotes {
    display_name: "pullpass-config",
    exit_codes: &[
        (0, "printed, and `pullpass check --strict` accepts it"),
        (2, "`pullpass check --strict` would refuse what the command line asks for"),
    ],
    notes: "",
    examples: &[
        ("nodes that pull from Amazon ECR as themselves", "pullpass config ecr"),
        (
            "the entries for a profile file of the oidc plugin",
            "pullpass config oidc --profiles /etc/pullpass/oidc.yaml",
        ),
        (
            "let nodes request the pods' tokens for an audience",
            "pullpass config --rbac --service-account-audience registry.example |\n    \
             kubectl apply -f -",
        ),
    ],
};

pub(crate) const CONFIG_MERGE: CommandNotes = CommandNotes {
    display_name: "pullpass-config-merge",
    exit_codes: &[
        (0, "the file has the provider; or with --dry-run: it would have it"),
        (1, "the kubelet would not start with the result; the file is as it was"),
        (2, "the file or the entry cannot be read, edited or written; the file is as it was"),
    ],
    notes: "A provider of the same name is replaced in its place. A second run changes nothing. \
            A file that does not exist is made, and a link is followed. The kubelet reads the \
            file at its start only.",
    examples: &[
        (
            "add the oidc plugin to a node that has another provider",
            "pullpass config oidc --match-image registry.example |\n    \
             pullpass config merge /etc/kubernetes/credential-providers.yaml -",
        ),
        (
            "see the change first",
            "pullpass config merge --dry-run /etc/kubernetes/credential-providers.yaml oidc.yaml",
        ),
    ],
};

pub(crate) const CONFIG_REMOVE: CommandNotes = CommandNotes {
    display_name: "pullpass-config-remove",
    exit_codes: &[
        (0, "the file does not have the provider; or with --dry-run: it would not have it"),
        (1, "the kubelet would not start with the result; the file is as it was"),
        (2, "the file cannot be read, edited or written; the file is as it was"),
    ],
    notes: "After `pullpass config merge` has added a provider, this gives the old bytes back. \
            Remove the provider and restart the kubelet before you delete the program.",
    examples: &[(
        "take the oidc plugin out again",
        "pullpass config remove /etc/kubernetes/credential-providers.yaml \\\n    \
         oidc-credential-provider",
    )],
};

pub(crate) const RECORDS: CommandNotes = CommandNotes {
    display_name: "pullpass-records",
    exit_codes: &[
        (0, "there are records; for a pod: it may use the image without a pull"),
        (1, "there are none; for a pod: it must pull"),
        (2, "the records cannot be read, or the command line is wrong"),
    ],
    notes: "The kubelet keeps them from 1.35 on, and in 1.33 and 1.34 with the feature gate \
            KubeletEnsureSecretPulledImages. Only root may read them.",
    examples: &[
        ("who may use this image without a pull?", "pullpass records registry.example/team/app:v1"),
        (
            "why does this pod pull again?",
            "pullpass records registry.example/team/app:v1 --service-account shop/web",
        ),
    ],
};

pub(crate) const DOCTOR: CommandNotes = CommandNotes {
    display_name: "pullpass-doctor",
    exit_codes: &[
        (0, "nothing is wrong in what was seen, or there are only risks"),
        (1, "a fault kills the kubelet or keeps credentials away"),
        (2, "the command line is wrong"),
    ],
    notes: "It only reads. Run it as root: without, it says what it could not see.",
    examples: &[
        ("on the node", "pullpass doctor"),
        ("in a debug pod that has the node's root at /host", "pullpass doctor --root /host"),
    ],
};

pub(crate) const COMPLETIONS: CommandNotes = CommandNotes {
    display_name: "pullpass-completions",
    exit_codes: &[(0, "printed"), (2, "the command line is wrong")],
    notes: "",
    examples: &[("for bash, in this shell", "source <(pullpass completions bash)")],
};

pub(crate) const MAN: CommandNotes = CommandNotes {
    display_name: "pullpass-man",
    exit_codes: &[
        (0, "printed or written"),
        (
            2,
            "there is no page of that name, or the pages \
         cannot be written",
        ),
    ],
    notes: "",
    examples: &[
        ("read a plugin's page", "pullpass man ecr | man -l -"),
        ("install every page", "pullpass man --dir /usr/local/share/man/man1"),
    ],
};
