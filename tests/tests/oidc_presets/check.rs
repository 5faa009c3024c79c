//! The result of a pull: the login and how long it may be kept, or why there is none.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pullpass_go_duration::GoDuration;
use pullpass_tests::fakes::vendors::{Password, Vendor};
use pullpass_tests::plugin::PluginRun;
use serde_json::json;

use crate::fixture::{PLUGIN, Pull};

/// What a cache leaves of a password's life: this, or a tenth where that is less.
const MARGIN: Duration = Duration::from_secs(300);

/// How long a password may be kept, by what its vendor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// So many seconds from the answer on.
    Seconds,
    /// Until a point in time.
    Until,
    /// Not known.
    Unsaid,
}

impl Pull<'_> {
    /// The vendor answers: the one key is `key`, the user is `user`, the password is the one that
    /// was minted, and it is kept right to the second.
    pub(crate) fn logs_in(&self, vendor: &Vendor, key: &str, user: &str, life: Life) {
        self.logs_in_by(vendor, key, user, life, "Registry");
    }

    /// The same with another `cacheKeyType`.
    pub(crate) fn logs_in_by(
        &self,
        vendor: &Vendor,
        key: &str,
        user: &str,
        life: Life,
        kind: &str,
    ) {
        let mut before = SystemTime::now();
        self.each_login(vendor, |run, password| {
            assert_eq!((&*run.login().0, &*run.login().1), (key, user));
            assert_eq!(run.response()["cacheKeyType"], kind);
            let bounds = bounds(life, password, before, SystemTime::now());
            let cached = cached(run);
            assert!(bounds.contains(&cached), "{cached:?} is not in {bounds:?}");
            before = SystemTime::now();
        });
    }

    /// The same, where the vendor itself names the user of each password.
    pub(crate) fn logs_in_as_named(&self, vendor: &Vendor, key: &str, life: Life) {
        let mut before = SystemTime::now();
        self.each_login(vendor, |run, password| {
            let login = run.login();
            assert_eq!((&*login.0, Some(login.1)), (key, password.username.clone()));
            assert_eq!(run.response()["cacheKeyType"], "Registry");
            let bounds = bounds(life, password, before, SystemTime::now());
            let cached = cached(run);
            assert!(bounds.contains(&cached), "{cached:?} is not in {bounds:?}");
            before = SystemTime::now();
        });
    }

    /// The same, kept for so many seconds, whatever the vendor says.
    pub(crate) fn logs_in_for(&self, vendor: &Vendor, key: &str, user: &str, seconds: u64) {
        self.each_login(vendor, |run, _| {
            assert_eq!((&*run.login().0, &*run.login().1), (key, user));
            assert_eq!(cached(run).as_secs(), seconds);
        });
    }

    fn each_login(&self, vendor: &Vendor, mut check: impl FnMut(&PluginRun, &Password)) {
        let mut known = vendor.passwords().len();
        self.each(|run, _| {
            assert!(vendor.passwords().len() > known, "nothing was handed out: {}", run.stderr);
            known = vendor.passwords().len();
            let password = vendor.last_password();
            assert!(run.login().2 == password.value, "another password than the last");
            assert_eq!(vendor.leaks(run), Vec::<String>::new());
            check(run, &password);
        });
        assert_eq!(vendor.violations(), Vec::<String>::new());
    }

    /// An answer without credentials, which is not kept.
    pub(crate) fn answers_with_nothing(&self) {
        self.each(|run, _| {
            assert_eq!(run.response()["auth"], json!({}));
            assert_eq!(run.response()["cacheKeyType"], "Image");
            assert_eq!(run.response()["cacheDuration"], "0s");
        });
    }

    /// The vendor says no: that exit code, one error that names the image, a hint, and all of
    /// `says` on stderr. No password is handed out.
    pub(crate) fn is_refused(&self, vendor: &Vendor, code: i32, says: &[&str]) {
        let passwords = vendor.passwords().len();
        self.fails_after_a_call(vendor, code, says);
        assert_eq!(vendor.passwords().len(), passwords);
    }

    /// The same, where what was handed out is of no use.
    pub(crate) fn fails_after_a_call(&self, vendor: &Vendor, code: i32, says: &[&str]) {
        let mut calls = vendor.count();
        self.fails(code, says, |run| {
            assert!(vendor.count() > calls, "it was not asked");
            calls = vendor.count();
            assert_eq!(vendor.leaks(run), Vec::<String>::new());
        });
        assert_eq!(vendor.violations(), Vec::<String>::new());
    }

    /// The plugin itself refuses, and makes no call.
    pub(crate) fn is_not_sent(&self, code: i32, says: &[&str]) {
        let before = self.fixture.world.attempts();
        self.fails(code, says, |_| {});
        assert_eq!(self.fixture.world.attempts(), before, "somebody was asked");
    }

    /// A command line that is wrong.
    pub(crate) fn fails_with_arguments(&self, args: &[&str], code: i32, says: &str) {
        let plugin = self.fixture.world.plugin(PLUGIN);
        let plugin = args.iter().fold(plugin, |plugin, arg| plugin.arg(*arg));
        let token = self.fixture.issuer.token(&self.audience).build();
        let request = self.request(&token);
        let before = self.fixture.world.attempts();
        let run = plugin.secret("the pod's token", &token).run(request.to_string().as_bytes());
        assert_eq!(run.code, Some(code), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "`{says}` is not in: {}", run.stderr);
        assert_eq!(self.fixture.world.attempts(), before, "somebody was asked");
    }

    fn fails(&self, code: i32, says: &[&str], mut check: impl FnMut(&PluginRun)) {
        self.each(|run, _| {
            assert_eq!(run.code, Some(code), "{}", run.stderr);
            for words in says {
                assert!(run.stderr.contains(words), "`{words}` is not in: {}", run.stderr);
            }
            assert!(run.error().contains(&self.image), "{}", run.stderr);
            assert!(run.stderr.contains("\nhint: "), "no hint: {}", run.stderr);
            check(run);
        });
    }

    /// The pod's own token is the password, and no server is asked.
    pub(crate) fn passes_the_token(&self, key: &str, user: &str, kind: &str) {
        let before = self.fixture.world.attempts();
        self.each(|run, token| {
            assert!(run.login() == (key.to_owned(), user.to_owned(), token.to_owned()));
            assert_eq!(run.response()["cacheKeyType"], kind);
            assert_eq!(run.response()["cacheDuration"], "0s");
        });
        assert_eq!(self.fixture.world.attempts(), before, "somebody was asked");
    }

    /// The login that comes without a call, with its `cacheDuration`.
    pub(crate) fn answers_at_once(&self, key: &str, user: &str, password: &str, cached: &str) {
        let before = self.fixture.world.attempts();
        self.each(|run, _| {
            assert_eq!(run.login(), (key.to_owned(), user.to_owned(), password.to_owned()));
            assert_eq!(run.response()["cacheDuration"], cached);
        });
        assert_eq!(self.fixture.world.attempts(), before, "somebody was asked");
    }

    /// The `cacheDuration` of one run, in seconds.
    pub(crate) fn cached_seconds(&self) -> u64 {
        cached(&self.run_from_file()).as_secs()
    }
}

fn cached(run: &PluginRun) -> Duration {
    let text = run.response()["cacheDuration"].as_str().expect("a duration").to_owned();
    text.parse::<GoDuration>().expect("a duration of Go's").to_std().expect("not negative")
}

/// What `cacheDuration` may be, where the answer was read between `from` and `to`.
fn bounds(
    life: Life,
    password: &Password,
    from: SystemTime,
    to: SystemTime,
) -> RangeInclusive<Duration> {
    let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
    let kept = |left: Duration| Duration::from_secs((left - MARGIN.min(left / 10)).as_secs());
    let end = UNIX_EPOCH + seconds(password.expires);
    let until = |now| kept(end.duration_since(now).unwrap_or_default());
    match life {
        Life::Seconds => kept(seconds(password.lifetime))..=kept(seconds(password.lifetime)),
        Life::Until => until(to)..=until(from),
        Life::Unsaid => Duration::ZERO..=Duration::ZERO,
    }
}
