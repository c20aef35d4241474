//! The Hub's protocol for real, against a server on loopback.

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use hub::{HubOptions, ModelError, ModelFolder, resolve};
use server::{COMMIT, Hub, NAME, Plan, Seen, sha256};
use tempfile::TempDir;

/// Weights large enough for several reads of a socket.
fn weights() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn files() -> BTreeMap<&'static str, Vec<u8>> {
    BTreeMap::from([
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{\"version\": \"1.0\"}".to_vec()),
        ("tokenizer_config.json", b"{\"do_lower_case\": false}".to_vec()),
        ("model.safetensors", weights()),
    ])
}

fn hub() -> Hub {
    Hub::start(Plan { files: files(), ..Plan::default() })
}

fn options(endpoint: &str, cache: &TempDir) -> HubOptions {
    HubOptions {
        endpoint: endpoint.to_string(),
        cache: cache.path().to_path_buf(),
        token: None,
        offline: false,
        revision: "main".to_string(),
        progress: false,
        retries: 0,
    }
}

fn temp() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn refused(name: &str, options: &HubOptions) -> String {
    resolve(name, options).expect_err("an error").to_string()
}

fn assert_weights(folder: &ModelFolder) {
    assert_eq!(fs::read(folder.path.join("model.safetensors")).unwrap(), weights());
}

/// The cache's folder of the repository.
fn root(cache: &TempDir) -> PathBuf {
    cache.path().join("models--someone--tiny-bert")
}

fn partial(cache: &TempDir) -> PathBuf {
    root(cache).join("blobs").join(format!("{}.incomplete", sha256(&weights())))
}

/// The requests for bytes of the weights.
fn content(seen: &[Seen]) -> Vec<Option<String>> {
    let of_weights =
        |seen: &&Seen| seen.method == "GET" && seen.path.starts_with("/large/");
    seen.iter().filter(of_weights).map(|seen| seen.range.clone()).collect()
}

/// What an offline run answers.
fn offline_message(cache: &TempDir, file: &str) -> String {
    format!(
        "`{NAME}` is no folder and no shipped model (bertinho, bertinho-sentiment, papagaio), and the \
         Hub's cache {} does not have its {file}; offline, nothing can be downloaded: drop \
         --offline and HF_HUB_OFFLINE to download it once, or give a folder",
        cache.path().display()
    )
}

/// What completes a vocabulary comes with it; where there is none, nothing is missing.
#[test]
fn the_files_beside_a_vocabulary_are_downloaded_too() {
    let beside = ["special_tokens_map.json", "added_tokens.json"];
    for found in [&beside[..], &beside[1..], &[]] {
        let mut files = files();
        files.remove("tokenizer.json");
        files.insert("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n".to_vec());
        files.extend(found.iter().map(|file| (*file, b"{}".to_vec())));
        let hub = Hub::start(Plan { files, ..Plan::default() });
        let cache = temp();
        let folder = resolve(NAME, &options(&hub.url(), &cache)).unwrap();
        for file in beside {
            assert_eq!(
                folder.path.join(file).is_file(),
                found.contains(&file),
                "{file}"
            );
        }
        let offline = HubOptions { offline: true, ..options(&hub.url(), &cache) };
        assert_eq!(resolve(NAME, &offline).unwrap().path, folder.path);
    }
}

#[test]
fn a_download_is_in_the_cache_as_python_expects_it_and_is_asked_for_once() {
    let (hub, cache) = (hub(), temp());
    let folder = resolve(NAME, &options(&hub.url(), &cache)).unwrap();
    assert_eq!(folder.name, NAME);
    assert_eq!(folder.path, root(&cache).join("snapshots").join(COMMIT));
    for (file, bytes) in files() {
        assert_eq!(fs::read(folder.path.join(file)).unwrap(), bytes, "{file}");
    }
    let link = fs::read_link(folder.path.join("model.safetensors")).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(sha256(&weights())));
    assert_eq!(fs::read_to_string(root(&cache).join("refs/main")).unwrap(), COMMIT);
    assert!(!partial(&cache).exists());
    let seen = hub.take_seen();
    assert_eq!(content(&seen), [None]);
    // The branch is asked for once; the rest is of the commit it was at.
    let on_branch = seen.iter().filter(|seen| seen.path.contains("/main/"));
    assert_eq!(on_branch.map(|seen| &*seen.method).collect::<Vec<_>>(), ["HEAD"]);

    let again = resolve(NAME, &options(&hub.url(), &cache)).unwrap();
    assert_eq!(again.path, folder.path);
    assert_eq!(hub.take_seen(), []);
}

#[test]
fn offline_a_cached_model_is_found_and_another_is_an_error() {
    let (hub, cache) = (hub(), temp());
    let mut options = options(&hub.url(), &cache);
    options.offline = true;
    assert_eq!(refused(NAME, &options), offline_message(&cache, "config.json"));
    options.offline = false;
    let online = resolve(NAME, &options).unwrap();
    hub.take_seen();
    options.offline = true;
    assert_eq!(resolve(NAME, &options).unwrap().path, online.path);
    fs::remove_file(online.path.join("model.safetensors")).unwrap();
    assert_eq!(refused(NAME, &options), offline_message(&cache, "model.safetensors"));
    assert_eq!(hub.take_seen(), []);
}

#[test]
fn a_cut_download_is_resumed_by_the_next_run_where_it_stopped() {
    let (hub, cache) = (hub(), temp());
    hub.plan().cuts = vec![100_000];
    let options = options(&hub.url(), &cache);
    let expected = format!(
        "the download of model.safetensors from `{NAME}` stopped after 100000 of 300000 \
             bytes; run the same command again to resume it"
    );
    assert_eq!(refused(NAME, &options), expected);
    assert_eq!(fs::metadata(partial(&cache)).unwrap().len(), 100_000);
    hub.take_seen();
    let folder = resolve(NAME, &options).unwrap();
    assert_eq!(content(&hub.take_seen()), [Some("bytes=100000-".to_string())]);
    assert_weights(&folder);
}

#[test]
fn a_cut_download_is_resumed_by_itself_as_often_as_allowed() {
    let hub = hub();
    let options =
        |cache: &TempDir| HubOptions { retries: 2, ..options(&hub.url(), cache) };
    // A server that doesn't know ranges sends all again.
    for (no_ranges, second) in [(false, 50_000), (true, 150_000)] {
        hub.plan().cuts = vec![100_000, second];
        hub.plan().no_ranges = no_ranges;
        let cache = temp();
        assert_weights(&resolve(NAME, &options(&cache)).unwrap());
        let ranges = [None, Some("bytes=100000-".into()), Some("bytes=150000-".into())];
        assert_eq!(content(&hub.take_seen()), ranges);
    }
    hub.plan().cuts = vec![10; 4];
    hub.plan().no_ranges = false;
    let cache = temp();
    let message = refused(NAME, &options(&cache));
    assert!(message.contains("stopped after 30 of 300000 bytes"), "{message}");
}

#[test]
fn a_wrong_checksum_is_an_error_and_leaves_nothing_behind() {
    let (hub, cache) = (hub(), temp());
    let mut wrong = weights();
    wrong[150_000] ^= 1;
    hub.plan().body = Some(wrong.clone());
    let expected = format!(
        "model.safetensors from `{NAME}` is not what the Hub announced: sha256 {}, not \
             {}; it was deleted: run the same command again, and if that does not help \
             suspect the mirror or proxy in between",
        sha256(&wrong),
        sha256(&weights())
    );
    assert_eq!(refused(NAME, &options(&hub.url(), &cache)), expected);
    assert!(!partial(&cache).exists());
    assert!(!partial(&cache).with_extension("").exists());
    hub.plan().body = None;
    resolve(NAME, &options(&hub.url(), &cache)).unwrap();
}

#[test]
fn what_an_earlier_run_or_another_client_left_is_replaced_if_it_is_bad() {
    let (hub, cache) = (hub(), temp());
    let (part, whole) = (partial(&cache), partial(&cache).with_extension(""));
    for (path, bad) in [
        (&part, vec![7; 100]),
        (&part, vec![7; 300_000]),
        (&part, vec![7; 300_001]),
        (&whole, weights()[..1000].to_vec()),
    ] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bad).unwrap();
        assert_weights(&resolve(NAME, &options(&hub.url(), &cache)).unwrap());
        fs::remove_dir_all(root(&cache)).unwrap();
    }
}

#[test]
fn a_body_longer_than_announced_is_not_taken() {
    let (hub, cache) = (hub(), temp());
    hub.plan().body = Some([weights(), weights()].concat());
    let message = refused(NAME, &options(&hub.url(), &cache));
    let expected = "announced: size at least 300001, not 300000;";
    assert!(message.contains(expected), "{message}");
    assert!(!partial(&cache).exists());
}

/// What is said of a repository or a revision that a Hub doesn't have.
fn unknown(url: &str, name: &str, revision: &str) -> String {
    format!(
        "{url} has no repository `{name}` with a revision `{revision}`; check the name, \
         or use a folder or a shipped model (bertinho, bertinho-sentiment, papagaio)"
    )
}

#[test]
fn refusals_say_what_to_do() {
    let (hub, cache) = (hub(), temp());
    let (url, mut options) = (hub.url(), options(&hub.url(), &cache));
    let anonymous = format!(
        "{url} refuses `{NAME}` (401): there is no public repository of that name; check \
         it, or set HF_TOKEN if it is private or gated"
    );
    let known = format!(
        "{url} refuses `{NAME}` (403): there is no repository of that name, or the token \
         in HF_TOKEN does not give access: accept the model's terms on its page, or use \
         the token of an account that has access"
    );
    let broken = format!(
        "{url}/{NAME}/resolve/main/config.json answered HTTP 503; try again later, or \
         check HF_ENDPOINT"
    );
    for (status, token, expected) in [
        (401, None, anonymous),
        (403, Some("hf_secret"), known),
        (404, None, unknown(&url, NAME, "main")),
        (503, None, broken),
    ] {
        options.token = token.map(str::to_string);
        hub.plan().status = Some(status);
        assert_eq!(refused(NAME, &options), expected);
    }
}

#[test]
fn an_unknown_repository_revision_or_file_is_named() {
    let (hub, cache) = (hub(), temp());
    let mut options = options(&hub.url(), &cache);
    let url = hub.url();
    assert_eq!(
        refused("bert-of-nobody", &options),
        unknown(&url, "bert-of-nobody", "main")
    );
    options.revision = "v9".to_string();
    assert_eq!(refused(NAME, &options), unknown(&url, NAME, "v9"));
    options.revision = COMMIT.to_string();
    resolve(NAME, &options).unwrap();
    assert!(!root(&cache).join("refs").exists());

    fs::remove_dir_all(root(&cache)).unwrap();
    hub.plan().files.remove("config.json");
    let expected = format!("`{NAME}` at {COMMIT} has no file config.json");
    assert_eq!(refused(NAME, &options), expected);
    fs::remove_dir_all(root(&cache)).unwrap();
    hub.plan().files = files();
    hub.plan().files.remove("tokenizer.json");
    let needs = "a model needs config.json, model.safetensors, and a tokenizer (tokenizer.json, \
         vocab.txt, or vocab.json with merges.txt)";
    let expected = format!(
        "`{NAME}` at {url} has no tokenizer.json, vocab.txt, or vocab.json with merges.txt: {needs}"
    );
    assert_eq!(refused(NAME, &options), expected);
}

#[test]
fn weights_of_another_format_are_named_with_their_conversion() {
    let (hub, cache) = (hub(), temp());
    hub.plan().files.remove("model.safetensors");
    let options = options(&hub.url(), &cache);
    let first = refused(NAME, &options);
    assert!(first.contains("has no model.safetensors: a model needs"), "{first}");
    hub.plan().files.insert("pytorch_model.bin", b"pickle".to_vec());
    let second = refused(NAME, &options);
    let expected = "has pytorch_model.bin but no model.safetensors";
    assert!(second.contains(expected), "{second}");
    let pickle = |seen: &Seen| seen.method == "GET" && seen.path.contains("pytorch");
    assert!(!hub.take_seen().iter().any(pickle));
}

#[test]
fn what_a_repository_lacks_is_not_asked_for_again() {
    let (hub, cache) = (hub(), temp());
    hub.plan().files.remove("tokenizer_config.json");
    let options = options(&hub.url(), &cache);
    resolve(NAME, &options).unwrap();
    let lacks = root(&cache).join(".no_exist").join(COMMIT);
    assert!(lacks.join("tokenizer_config.json").is_file());
    hub.take_seen();
    resolve(NAME, &options).unwrap();
    assert_eq!(hub.take_seen(), []);
}

#[test]
fn a_branch_that_moved_on_is_asked_again_for_what_was_missing() {
    let (hub, cache) = (hub(), temp());
    hub.plan().files.remove("model.safetensors");
    let options = options(&hub.url(), &cache);
    assert!(refused(NAME, &options).contains("has no model.safetensors"));
    let next = COMMIT.replace('0', "f");
    hub.plan().files = files();
    hub.plan().commit = Some(next.clone());
    let folder = resolve(NAME, &options).unwrap();
    assert!(folder.path.ends_with(&next));
    assert_eq!(fs::read_to_string(root(&cache).join("refs/main")).unwrap(), next);
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_server() {
    let storage = hub();
    let (hub, cache) = (hub(), temp());
    hub.plan().storage = Some(storage.url());
    let token = Some("hf_secret".to_string());
    let mut options = HubOptions { token, ..options(&hub.url(), &cache) };
    resolve(NAME, &options).unwrap();
    let there = storage.take_seen();
    assert_eq!(content(&there), [None]);
    assert!(there.iter().all(|seen| seen.token.is_none()), "{there:?}");
    let here = hub.take_seen();
    assert!(here.iter().all(|seen| seen.token.as_deref() == Some("Bearer hf_secret")));
    assert!(!format!("{options:?}").contains("secret"));

    // A file on the Hub's own origin needs the token as the Hub does.
    let cache = temp();
    options.cache = cache.path().to_path_buf();
    hub.plan().storage = None;
    resolve(NAME, &options).unwrap();
    let here = hub.take_seen();
    assert_eq!(content(&here), [None]);
    assert!(here.iter().all(|seen| seen.token.is_some()));
}

#[test]
fn a_repository_that_moved_is_followed() {
    let (hub, cache) = (hub(), temp());
    let folder = resolve("old-name", &options(&hub.url(), &cache)).unwrap();
    assert!(folder.path.starts_with(cache.path().join("models--old-name")));
    assert_weights(&folder);
}

#[test]
fn without_a_network_the_cache_is_enough_and_else_the_error_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (hub, cache) = (hub(), temp());
    let message = refused(NAME, &options(&nobody, &cache));
    let beginning = format!(
        "cannot reach {nobody}/{NAME}/resolve/main/config.json to download `{NAME}` ("
    );
    assert!(message.starts_with(&beginning), "{message}");
    assert!(
        message.ends_with("a shipped model (bertinho, bertinho-sentiment, papagaio)"),
        "{message}"
    );

    // As Python's slow tokenizers leave it: a vocab.txt, and not asked for the rest.
    hub.plan().files.remove("tokenizer.json");
    hub.plan().files.insert("vocab.txt", b"[UNK]".to_vec());
    let folder = resolve(NAME, &options(&hub.url(), &cache)).unwrap();
    fs::remove_dir_all(root(&cache).join(".no_exist")).unwrap();
    fs::remove_file(folder.path.join("tokenizer_config.json")).unwrap();
    assert_eq!(resolve(NAME, &options(&nobody, &cache)).unwrap().path, folder.path);
}

#[test]
fn a_tokenizer_of_two_files_is_downloaded_whole_or_not_at_all() {
    let (hub, cache) = (hub(), temp());
    hub.plan().files.remove("tokenizer.json");
    hub.plan().files.insert("vocab.json", b"{}".to_vec());
    let message = refused(NAME, &options(&hub.url(), &cache));
    assert!(message.contains("has no tokenizer.json, vocab.txt, or vocab.json with"));
    fs::remove_dir_all(root(&cache)).unwrap();
    hub.plan().files.insert("merges.txt", b"#version: 0.2".to_vec());
    let folder = resolve(NAME, &options(&hub.url(), &cache)).unwrap();
    assert!(folder.path.join("vocab.json").is_file());
    assert_eq!(fs::read(folder.path.join("merges.txt")).unwrap(), b"#version: 0.2");
}

#[test]
fn shards_are_downloaded_by_their_index() {
    let (hub, cache) = (hub(), temp());
    hub.plan().files.remove("model.safetensors");
    let index = r#"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#;
    hub.plan().files.insert("model.safetensors.index.json", index.into());
    hub.plan().files.insert("m-1.safetensors", b"one".to_vec());
    hub.plan().files.insert("m-2.safetensors", b"two".to_vec());
    let options = options(&hub.url(), &cache);
    let folder = resolve(NAME, &options).unwrap();
    assert_eq!(fs::read(folder.path.join("m-2.safetensors")).unwrap(), b"two");
    hub.take_seen();
    resolve(NAME, &options).unwrap();
    assert_eq!(hub.take_seen(), []);

    let cache = temp();
    let index = r#"{"weight_map": {"a": "../m-1.safetensors"}}"#;
    hub.plan().files.insert("model.safetensors.index.json", index.into());
    let options = HubOptions { cache: cache.path().to_path_buf(), ..options };
    let message = refused(NAME, &options);
    assert!(message.contains("weight_map is \"../m-1.safetensors\", not"), "{message}");
}

#[test]
fn a_hostile_server_does_not_choose_where_files_go() {
    let (hub, cache) = (hub(), temp());
    let options = options(&hub.url(), &cache);
    hub.plan().commit = Some("../../elsewhere".to_string());
    assert!(refused(NAME, &options).contains("answered without the commit"));
    hub.plan().commit = None;
    hub.plan().etag = Some("../../../elsewhere".to_string());
    assert!(refused(NAME, &options).contains("answered without an ETag"));
}

#[test]
fn two_at_once_download_each_file_once() {
    let (hub, cache) = (hub(), temp());
    let options = options(&hub.url(), &cache);
    thread::scope(|scope| {
        let runs =
            [(); 4].map(|()| scope.spawn(|| resolve(NAME, &options).unwrap().path));
        let paths = runs.map(|run| run.join().unwrap());
        assert!(paths.iter().all(|path| *path == paths[0]));
    });
    assert_eq!(content(&hub.take_seen()), [None]);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (hub, cache) = (hub(), temp());
    let mut options = options(&hub.url(), &cache);
    options.cache = cache.path().join("a-file");
    fs::write(&options.cache, "").unwrap();
    let error = resolve(NAME, &options).unwrap_err();
    assert!(matches!(error, ModelError::Io { .. }), "{error:?}");
    let expected = format!("cannot create {}", options.cache.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[test]
fn names_that_are_none_are_refused_without_a_request() {
    let (hub, cache) = (hub(), temp());
    let mut options = options(&hub.url(), &cache);
    let names =
        ["", "./nowhere", "/no/where", "a/b/c", "a--b", "a b", "...", "a/", "-a", "é"];
    let names = names.map(|name| (name, "main"));
    let revisions =
        ["", "../main", "a?b", ".", "a/./b"].map(|revision| (NAME, revision));
    for (name, revision) in names.into_iter().chain(revisions) {
        options.revision = revision.to_string();
        let error = resolve(name, &options).unwrap_err();
        assert!(matches!(error, ModelError::UnknownName { .. }), "{name}: {error}");
    }
    assert_eq!(hub.take_seen(), []);
}

#[test]
fn the_environment_is_read_as_python_reads_it() {
    let home = temp();
    let read = |variables: &[(&str, &str)]| {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        HubOptions::from_variables(|name| variables.get(name).map(ToString::to_string))
    };
    let options = read(&[("HOME", "/home/ana")]);
    assert_eq!(options.endpoint, "https://huggingface.co");
    assert_eq!(options.cache, Path::new("/home/ana/.cache/huggingface/hub"));
    assert_eq!((options.token, options.offline, options.progress), (None, false, true));

    let last = read(&[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")]);
    assert!(!last.offline);
    assert!(read(&[("HF_HUB_OFFLINE", ""), ("TRANSFORMERS_OFFLINE", "true")]).offline);
    assert_eq!(read(&[("HF_TOKEN", " hf_\r\nx\n")]).token.as_deref(), Some("hf_x"));

    let all = [("HF_HUB_CACHE", "/x"), ("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/c")];
    for (first, cache) in ["/x", "/h/hub", "/c/huggingface/hub"].iter().enumerate() {
        assert_eq!(read(&all[first..]).cache, Path::new(cache));
    }

    let options = read(&[
        ("HF_ENDPOINT", "http://mirror:8080/"),
        ("HF_TOKEN", " hf_x\n"),
        ("HF_HUB_OFFLINE", "yes"),
        ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    ]);
    assert_eq!(options.endpoint, "http://mirror:8080");
    assert_eq!(options.token.as_deref(), Some("hf_x"));
    assert_eq!((options.offline, options.progress), (true, false));
    assert!(!read(&[("HF_HUB_OFFLINE", "0")]).offline);

    fs::write(home.path().join("token"), "hf_saved\n").unwrap();
    let folder = home.path().to_str().unwrap();
    assert_eq!(read(&[("HF_HOME", folder)]).token.as_deref(), Some("hf_saved"));
    let disabled = [("HF_HOME", folder), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")];
    assert_eq!(read(&disabled).token, None);
    for path in ["~/token", "$HOME/token", "${HOME}/token"] {
        let found = read(&[("HOME", folder), ("HF_TOKEN_PATH", path)]);
        assert_eq!(found.token.as_deref(), Some("hf_saved"), "{path}");
    }
}

/// The caches that huggingface_hub 2.4.0 makes of these (tests/reference/models_hub.py asks it).
#[test]
#[cfg(unix)]
fn a_path_in_a_variable_may_have_a_tilde_and_variables() {
    for (name, value, cache) in [
        ("HF_HOME", "~/hf", "/home/ana/hf/hub"),
        ("HF_HOME", "~", "/home/ana/hub"),
        ("HF_HOME", "$SCRATCH/hf", "/scratch/hf/hub"),
        ("HF_HOME", "${SCRATCH}/hf", "/scratch/hf/hub"),
        ("HF_HOME", "$NOWHERE/hf", "$NOWHERE/hf/hub"),
        ("HF_HOME", "/a/~/b", "/a/~/b/hub"),
        ("HF_HOME", "~maria/x", "~maria/x/hub"),
        ("HF_HOME", "/a/$SCRATCH-$N$$/${}", "/a//scratch-7$$/${}/hub"),
        ("HF_HOME", "/a/${SCRATCH", "/a/${SCRATCH/hub"),
        ("HF_HOME", "/a/$SCRATCHÉ", "/a//scratchÉ/hub"),
        ("HF_HOME", "/x/$EMPTY/y", "/x//y/hub"),
        ("HF_HOME", "$TILDE/x", "/home/ana/x/hub"),
        ("HF_HOME", "$NESTED", "/scratch/n/hub"),
        ("HF_HUB_CACHE", "$NESTED", "$SCRATCH/n"),
        ("HF_HUB_CACHE", "~/hub", "/home/ana/hub"),
        ("HF_HUB_CACHE", "$HOME/hub", "/home/ana/hub"),
        ("HUGGINGFACE_HUB_CACHE", "~/hub", "/home/ana/hub"),
        ("XDG_CACHE_HOME", "~/c", "/home/ana/c/huggingface/hub"),
        ("XDG_CACHE_HOME", "$SCRATCH", "/scratch/huggingface/hub"),
    ] {
        let found = HubOptions::from_variables(|asked| {
            let set = match asked {
                "HOME" => "/home/ana",
                "SCRATCH" => "/scratch",
                "N" => "7",
                "EMPTY" => "",
                "TILDE" => "~",
                "NESTED" => "$SCRATCH/n",
                _ if asked == name => value,
                _ => return None,
            };
            Some(set.to_string())
        });
        assert_eq!(found.cache.to_str(), Some(cache), "{name}={value}");
    }
}

#[test]
fn a_cache_in_an_unknown_home_folder_is_refused_and_not_made() {
    let nobody = HubOptions::from_variables(|_| None); // not even HOME
    let of_maria = HubOptions { cache: "~maria/hf/hub".into(), ..nobody.clone() };
    for options in [nobody, of_maria] {
        let cache = options.cache.display().to_string();
        let beginning =
            format!("the Hub's cache {cache} begins with a `~` that stands");
        let message = refused(NAME, &options);
        assert!(message.starts_with(&beginning), "{message}");
        assert!(message.contains("set HOME, or give HF_HOME or HF_HUB_CACHE"));
        assert!(!Path::new("~").exists() && !Path::new("~maria").exists());
    }
}

#[test]
fn an_address_that_is_no_web_servers_is_said_to_be_none() {
    let (hub, cache) = (hub(), temp());
    for (endpoint, remedy) in [
        ("hf-mirror.com", "; perhaps it is https://hf-mirror.com"),
        ("mirror:8080", "; perhaps it is https://mirror:8080"),
        ("ftp://hf-mirror.com", "huggingface.co does"),
        ("https:/hf-mirror.com", "huggingface.co does"),
        ("https://hf-mirror.com\r", "huggingface.co does"),
        ("https://", "huggingface.co does"),
    ] {
        let message = refused(NAME, &options(endpoint, &cache));
        let beginning = format!("the Hub's address {endpoint:?} (HF_ENDPOINT) is not ");
        assert!(message.starts_with(&beginning), "{message}");
        assert!(message.ends_with(remedy), "{message}");
    }
    // Python, too, reads what it has before it asks.
    let mut options = options(&hub.url(), &cache);
    let folder = resolve(NAME, &options).unwrap();
    options.endpoint = "hf-mirror.com".to_string();
    assert_eq!(resolve(NAME, &options).unwrap().path, folder.path);
    options.endpoint = hub.url().replace("http", "HTTP");
    options.revision = COMMIT.replace('0', "1");
    let message = refused(NAME, &options);
    assert!(message.contains("has no repository"), "{message}");
}

/// A part that a killed process left, of a file that is complete by now (Python began anew) or
/// that the branch no longer has, is removed; what others are at, or left, is not.
#[test]
fn a_part_that_nothing_will_resume_is_removed() {
    let (hub, cache) = (hub(), temp());
    let options = options(&hub.url(), &cache);
    resolve(NAME, &options).unwrap();
    let old = "f".repeat(64);
    let part = |name: &str| root(&cache).join("blobs").join(name);
    let parts = [
        partial(&cache),
        part(&format!("{old}.incomplete")),
        part("1111.incomplete"),
        part(&format!("{old}.0a1b2c3d.incomplete")),
    ];
    for part in &parts {
        fs::write(part, [7; 100]).unwrap();
    }
    let locks = cache.path().join(".locks/models--someone--tiny-bert");
    let lock = fs::File::create(locks.join("1111.lock")).unwrap();
    lock.lock().unwrap();
    hub.take_seen();
    resolve(NAME, &options).unwrap();
    assert_eq!(parts.map(|part| part.exists()), [false, false, true, true]);
    assert_eq!(hub.take_seen(), []);
}

/// As Python leaves it that downloaded by Xet: a blob is a link to a store of all repositories.
#[test]
#[cfg(unix)]
fn a_blob_in_the_store_of_all_repositories_is_read_and_never_written() {
    use std::os::unix::fs::symlink;
    let (hub, cache) = (hub(), temp());
    let options = options(&hub.url(), &cache);
    let folder = resolve(NAME, &options).unwrap();
    let blob = root(&cache).join("blobs").join(sha256(&weights()));
    let store = cache.path().join("blobs/ab");
    fs::create_dir_all(&store).unwrap();
    let stored = store.join("ab".repeat(32));
    let target = Path::new("../../blobs/ab").join("ab".repeat(32));
    for (bytes, downloads) in [(weights(), 0), (weights()[..9].to_vec(), 1)] {
        fs::write(&stored, &bytes).unwrap();
        fs::remove_file(&blob).unwrap();
        symlink(&target, &blob).unwrap();
        fs::remove_file(folder.path.join("model.safetensors")).unwrap();
        hub.take_seen();
        assert_weights(&resolve(NAME, &options).unwrap());
        assert_eq!(content(&hub.take_seen()).len(), downloads);
        assert_eq!(fs::read(&stored).unwrap(), bytes);
    }
}

#[test]
fn a_reference_may_end_in_a_newline_and_is_written_without_one() {
    let (hub, cache) = (hub(), temp());
    let mut options = options(&hub.url(), &cache);
    let folder = resolve(NAME, &options).unwrap();
    let reference = root(&cache).join("refs/main");
    options.offline = true;
    for end in ["\n", "\r\n", " "] {
        fs::write(&reference, format!("{COMMIT}{end}")).unwrap();
        assert_eq!(resolve(NAME, &options).unwrap().path, folder.path, "{end:?}");
    }
    options.offline = false;
    fs::remove_file(folder.path.join("config.json")).unwrap();
    resolve(NAME, &options).unwrap();
    assert_eq!(fs::read_to_string(&reference).unwrap(), COMMIT);
    // A commit is written in small letters; anything else is a branch, for Python, too.
    options.revision = COMMIT.to_uppercase();
    assert!(refused(NAME, &options).contains("has no repository"));
}
