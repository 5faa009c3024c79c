//! The command line.

xflags::xflags! {
    /// The project's tasks
    cmd xtask {
        /// Watch one image being pulled with a pod's own identity: no cloud, no root, no network
        cmd demo {}

        /// Run every test; the first run fetches the third-party programs that check our plugins
        cmd test {
            /// Fetch nothing, and skip what needs a judge that is missing
            optional --hermetic
            /// Also fetch and build the judges that take minutes: Vault, Keycloak, mock-oauth2-server, older kubelets
            optional --all
            /// Run only the tests whose names contain this
            optional filter: String
        }

        /// Fetch the third-party programs that the tests need, and print for `eval` the variables by
        /// which `cargo test` finds them
        cmd judges {
            /// Fetch nothing, and skip what needs a judge that is missing
            optional --hermetic
            /// Also fetch and build the judges that take minutes
            optional --all
        }

        /// Ask the kubelet's own code and `pullpass-kubelet` the same questions, and print a summary
        /// for each kubelet (bounded in `test`; needs Go)
        cmd oracle {
            /// Ask the kubelets of all pinned minors [default: those that `test` asks]
            optional --all
            /// Ask only the kubelet of this minor (repeatable)
            repeated --minor minor: String
            /// How many cases for each kubelet, or which: `120..130` [default: 5000]
            optional --cases cases: String
            /// How many mutated configurations for each kubelet [default: as many as `test`]
            optional --mutations count: u64
        }

        /// Pull images in a whole cluster of this machine's own, with every plugin; print what happens
        /// step by step, and a table (needs Go, Debian's packages and user namespaces, not root)
        cmd cluster {
            /// Only with the kubelet of this minor (repeatable) [default: 1.37 and 1.34]
            repeated --kubelet kubelet: String
            /// Only the trials whose names contain this (repeatable)
            repeated --only only: String
            /// Open a shell in the cluster at the end, with `KUBECONFIG` set
            optional --keep
        }

        /// Fuzz what reads the bytes that others write, one target after the other (needs a C++
        /// compiler); inputs that fail are in `target/fuzz/artifacts`
        cmd fuzz {
            /// How long for each target [default: 60]
            optional --seconds seconds: u64
            /// Only run each input of the corpora once, as a test does
            optional --replay
            /// Put what was found worth keeping into the corpora, as few inputs as reach the same code
            optional --minimize
            /// Only this target [default: all]
            optional target: String
        }

        /// Check format, clippy, rustdoc, dependencies and the rules of this tree
        cmd lint {}

        /// Check only the rules of this tree (a part of `lint`, in milliseconds)
        cmd tidy {}

        /// Measure release builds: CPU, wall time, memory and size beside their budgets
        cmd bench {
            /// How many measured runs of each program [default: 31]
            optional --runs runs: usize
            /// Measure AWS's plugin too, which is built from its Go module (needs Go)
            optional --peers
            /// Only compare instruction counts with those that are committed (needs valgrind)
            optional --check
            /// Only write the instruction counts that `--check` compares with
            optional --record
            /// The plugin: `acr`, `ecr`, `gar` or `oidc` [default: all]
            optional plugin: String
            /// Measure only the cases whose titles contain this
            optional what: String
        }

        /// Run each plugin's release build 1000 times, 64 at once: failures, how long runs took, and
        /// the memory of 50 at once
        cmd load {
            /// The plugin: `acr`, `ecr`, `gar` or `oidc` [default: all]
            optional plugin: String
        }

        /// Build static release binaries into `dist/TARGET/`
        cmd dist {
            /// Build only for this target (repeatable) [default: all that this machine can build]
            repeated --target target: String
        }
    }
}
