#![cfg_attr(feature = "libfuzzer", no_main)]

pullpass_fuzz::fuzz!(aws_profiles);
