#![cfg_attr(feature = "libfuzzer", no_main)]

pullpass_fuzz::fuzz!(sent_secrets);
