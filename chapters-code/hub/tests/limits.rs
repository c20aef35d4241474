//! Whatever a file holds: no panic, and no more memory than the file warrants.

use std::fs;
use std::path::Path;

use candle_core::DType;
use hub::{Checkpoint, Config, Tokenizer, Truncate, load_checkpoint};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tempfile::TempDir;

/// Runs `work` and returns the most memory that it held at once, in bytes: its own, whatever
/// the tests beside it do meanwhile.
fn peak(work: impl FnOnce()) -> usize {
    usize::try_from(allocation_counter::measure(work).bytes_max).expect("a size")
}

/// What a run may hold besides a multiple of the file: messages, buffers of a conversion.
const BASE: usize = 1 << 20;

/// Fails if `work`, given the file of that name, holds more than `base` and `times` the
/// file.
fn fits(
    name: &str,
    bytes: &[u8],
    limit: (usize, usize),
    work: impl FnOnce(&Path),
) -> Result<(), TestCaseError> {
    fits_beside(&[], name, bytes, limit, work)
}

/// As [`fits`], in a folder with other files.
fn fits_beside(
    others: &[(&str, &[u8])],
    name: &str,
    bytes: &[u8],
    (base, times): (usize, usize),
    work: impl FnOnce(&Path),
) -> Result<(), TestCaseError> {
    let folder = temp();
    for (name, bytes) in others {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let most = peak(|| work(&path));
    let size = bytes.len() + others.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    prop_assert!(most <= base + times * size, "{most} bytes for {size}");
    Ok(())
}

fn temp() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A change to a file, and where.
#[derive(Clone, Debug)]
struct Edit(Index, Change);

#[derive(Clone, Debug)]
enum Change {
    Set(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Truncate,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let tokens = "0 -1 1e999 NaN null [ ] { } \" : , [[[[[[ 18446744073709551615 \
                  99999999999999999999 4294967296 \\ud800";
    let tokens = tokens.split(' ').chain(["\n", "\r"]);
    let tokens: Vec<_> = tokens.map(|text| text.as_bytes().to_vec()).collect();
    let tokens = select(tokens);
    let change = prop_oneof![
        any::<u8>().prop_map(Change::Set),
        tokens.prop_map(Change::Insert),
        (1..20_usize).prop_map(Change::Remove),
        Just(Change::Truncate),
    ];
    let edit = (any::<Index>(), change).prop_map(|(at, change)| Edit(at, change));
    vec(edit, 0..4)
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for Edit(at, change) in edits {
        let at = at.index(bytes.len() + 1);
        let (removed, new) = match change {
            Change::Set(byte) => (1, vec![*byte; usize::from(at < bytes.len())]),
            Change::Insert(new) => (0, new.clone()),
            Change::Remove(count) => (*count, Vec::new()),
            Change::Truncate => (bytes.len(), Vec::new()),
        };
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, new);
    }
    bytes
}

/// A safetensors file with a header and data of the given size.
fn safetensors(header: &[u8], length: u64, data: usize) -> Vec<u8> {
    [&length.to_le_bytes(), header, &vec![1; data]].concat()
}

/// A BERT's header with tensors of every type.
fn header() -> Vec<u8> {
    concat!(
        r#"{"__metadata__":{"format":"pt"},"#,
        r#""embeddings.word_embeddings.weight":"#,
        r#"{"dtype":"F32","shape":[4,8],"data_offsets":[0,128]},"#,
        r#""encoder.layer.0.output.LayerNorm.gamma":"#,
        r#"{"dtype":"F16","shape":[8],"data_offsets":[128,144]},"#,
        r#""encoder.layer.0.output.LayerNorm.beta":"#,
        r#"{"dtype":"BF16","shape":[8],"data_offsets":[144,160]},"#,
        r#""position_ids":{"dtype":"I64","shape":[1,4],"data_offsets":[160,192]}}"#
    )
    .into()
}

const DATA: usize = 192;

/// Opens a file as a checkpoint and reads all of it.
fn read_all(path: &Path) {
    let Ok(checkpoint) = Checkpoint::open(path) else { return };
    for name in checkpoint.names() {
        for dtype in [DType::F32, DType::F64] {
            let _ = checkpoint.tensor(name, dtype);
        }
    }
    let _ = load_checkpoint(&checkpoint, &Config::bert(), DType::F32, |vb| {
        let huge =
            vb.get((1 << 40, 1 << 10), "bert.embeddings.word_embeddings.weight")?;
        huge.contiguous()
    });
}

const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "m-2.safetensors"];

/// The index of the tensors of [`header`] and of one tensor more.
fn index() -> Vec<u8> {
    let [first, second] = SHARDS;
    format!(
        r#"{{"metadata":{{"total_size":196}},"weight_map":{{
            "embeddings.word_embeddings.weight":"{first}",
            "encoder.layer.0.output.LayerNorm.gamma":"{first}",
            "encoder.layer.0.output.LayerNorm.beta":"{first}",
            "position_ids":"{first}","pooler.dense.bias":"{second}"}}}}"#
    )
    .into()
}

/// The files that [`index`] lists.
fn shards() -> [Vec<u8>; 2] {
    let second =
        br#"{"pooler.dense.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    [(&header()[..], DATA), (&second[..], 4)]
        .map(|(header, data)| safetensors(header, header.len() as u64, data))
}

/// What `transformers` 4 and 5 write beside a vocabulary, by the files' names.
const SETTINGS: [(&str, &str); 3] = [
    (
        "tokenizer_config.json",
        concat!(
            r#"{"added_tokens_decoder":{"0":{"content":"[PAD]","lstrip":false,"#,
            r#""normalized":false,"rstrip":false,"single_word":false,"special":true},"#,
            r#""5":{"content":"[NEW]","lstrip":true,"normalized":true,"rstrip":true,"#,
            r#""single_word":true,"special":false}},"additional_special_tokens":["[A]"],"#,
            r#""backend":"tokenizers","clean_up_tokenization_spaces":true,"#,
            r#""cls_token":"[CLS]","do_basic_tokenize":true,"do_lower_case":true,"#,
            r#""extra_special_tokens":{"image":"<i>"},"is_local":false,"mask_token":"#,
            r#"{"__type":"AddedToken","content":"[MASK]","lstrip":true,"#,
            r#""normalized":false,"rstrip":false,"single_word":false},"#,
            r#""model_max_length":512,"never_split":null,"pad_token":"[PAD]","#,
            r#""padding_side":"left","sep_token":"[SEP]","strip_accents":null,"#,
            r#""tokenize_chinese_chars":true,"tokenizer_class":"BertTokenizer","#,
            r#""truncation_side":"right","unk_token":"[UNK]"}"#
        ),
    ),
    (
        "special_tokens_map.json",
        concat!(
            r#"{"additional_special_tokens":["[A]",{"content":"[B]","lstrip":false,"#,
            r#""normalized":false,"rstrip":false,"single_word":false}],"cls_token":"#,
            r#""[CLS]","mask_token":{"content":"[MASK]","lstrip":false,"normalized":"#,
            r#"false,"rstrip":false,"single_word":false},"pad_token":"[PAD]","#,
            r#""sep_token":"[SEP]","unk_token":"[UNK]"}"#
        ),
    ),
    ("added_tokens.json", r#"{"[NEW]":5,"<i>":6}"#),
];

/// Either tokenizer, as one of two files.
fn vocabulary(json: bool) -> (&'static str, Vec<u8>) {
    if json {
        ("tokenizer.json", tokenizer_json())
    } else {
        ("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n".into())
    }
}

#[test]
fn the_files_to_be_edited_are_good() {
    let folder = temp();
    for (shard, bytes) in SHARDS.iter().zip(shards()) {
        fs::write(folder.path().join(shard), bytes).unwrap();
    }
    let path = folder.path().join("model.safetensors.index.json");
    fs::write(&path, index()).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().names().count(), 5);
    for (_, settings) in SETTINGS {
        assert!(serde_json::from_str::<serde_json::Value>(settings).is_ok());
    }
    let path = folder.path().join("m.safetensors");
    fs::write(&path, safetensors(&header(), header().len() as u64, DATA)).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().names().count(), 4);
    Config::from_json(&Config::bert().to_json().to_string(), Path::new("c")).unwrap();
    fs::write(folder.path().join("tokenizer.json"), tokenizer_json()).unwrap();
    let tokenizer = Tokenizer::from_folder(folder.path(), &Config::bert()).unwrap();
    let pair = tokenizer.encode("aá [MASK]", Some("a"), Truncate::Error).unwrap();
    assert_eq!(pair.ids, [1, 4, 5, 3, 2, 4, 2]);
    assert_eq!(pair.sentence_b_start, Some(5));
}

#[test]
fn a_file_is_read_in_its_own_size() {
    let folder = temp();
    let path = folder.path().join("m.safetensors");
    let count = 4 << 20;
    let header = format!(
        r#"{{"a":{{"dtype":"F32","shape":[{count}],"data_offsets":[0,{}]}}}}"#,
        4 * count
    );
    fs::write(&path, safetensors(header.as_bytes(), header.len() as u64, 4 * count))
        .unwrap();
    let mut tensor = None;
    let most = peak(|| {
        tensor = Some(Checkpoint::open(&path).unwrap().tensor("a", DType::F32));
    });
    assert_eq!(tensor.unwrap().unwrap().dims(), [count]);
    assert!((4 * count..4 * count + BASE).contains(&most), "{most} bytes");
}

/// A tokenizer as transformers saves it, with cutting and padding that must not act.
fn tokenizer_json() -> Vec<u8> {
    concat!(
        r#"{"version":"1.0","truncation":{"direction":"Right","max_length":4,"#,
        r#""strategy":"LongestFirst","stride":0},"padding":{"strategy":{"Fixed":16},"#,
        r#""direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"#,
        r#""pad_token":"[PAD]"},"added_tokens":[{"id":3,"content":"[MASK]","#,
        r#""single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"#,
        r#""special":true}],"normalizer":{"type":"BertNormalizer","clean_text":true,"#,
        r#""handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"#,
        r#""pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"#,
        r#""type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","#,
        r#""type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"#,
        r#""id":"[SEP]","type_id":0}}],"pair":[{"SpecialToken":{"id":"[CLS]","#,
        r#""type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"#,
        r#""id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},"#,
        r#"{"SpecialToken":{"id":"[SEP]","type_id":1}}],"special_tokens":{"[CLS]":{"#,
        r#""id":"[CLS]","ids":[1],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","#,
        r#""ids":[2],"tokens":["[SEP]"]}}},"decoder":null,"model":{"type":"WordPiece","#,
        r###""unk_token":"[UNK]","continuing_subword_prefix":"##","###,
        r#""max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"#,
        r###""[MASK]":3,"a":4,"##a":5,"á":6}}}"###
    )
    .into()
}

/// Opens the tokenizer of a file's folder and encodes with it in every way.
fn encode_all(path: &Path, text: &str) {
    let config =
        Config { vocab_size: 30, max_position_embeddings: 16, ..Config::bert() };
    let tokenizer = Tokenizer::from_folder(path.parent().unwrap(), &config);
    let Ok(tokenizer) = tokenizer else { return };
    for pair in [None, Some("[MASK] a")] {
        for truncate in [Truncate::Error, Truncate::To(7)] {
            if let Ok(encoded) = tokenizer.encode(text, pair, truncate) {
                assert!(encoded.len() <= 16 && encoded.ids.iter().all(|id| *id < 30));
            }
        }
    }
}

/// As many cases as `PROPTEST_CASES` says, or 1024.
fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(1024),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_checkpoint_of_any_bytes_is_read_or_refused(
        edits in edits(),
        extra in prop_oneof![
            8 => Just(0_u64), 1 => any::<u64>(), 1 => 0..200_u64, 1 => 99_000_000..100_000_001_u64
        ],
        data in prop_oneof![8 => Just(DATA), 1 => 0..2 * DATA],
        after in edits_of_the_whole(),
    ) {
        let header = edited(header(), &edits);
        let length = (header.len() as u64).wrapping_add(extra);
        let bytes = edited(safetensors(&header, length, data), &after);
        fits("m.safetensors", &bytes, (BASE, 16), read_all)?;
    }

    #[test]
    fn a_header_of_nothing_but_brackets_or_zeros_takes_little(
        part in select(vec!["[", "{\"a\":", "[0,", "{\"a\":{\"shape\":[0,0,0,0,0,0,0,0", "\"\\n"]),
        count in 1..60_000_usize,
    ) {
        let header = format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":[{}", part.repeat(count));
        let bytes = safetensors(header.as_bytes(), header.len() as u64, 0);
        fits("m.safetensors", &bytes, (BASE, 16), read_all)?;
    }

    #[test]
    fn an_index_of_any_bytes_is_read_or_refused(edits in edits()) {
        let shards = shards();
        let [first, second] = &shards;
        let others = [(SHARDS[0], &first[..]), (SHARDS[1], second)];
        let bytes = edited(index(), &edits);
        let name = "model.safetensors.index.json";
        fits_beside(&others, name, &bytes, (BASE, 16), read_all)?;
    }

    #[test]
    fn settings_of_a_tokenizer_of_any_bytes_are_read_or_refused(
        json in any::<bool>(),
        file in select(SETTINGS.to_vec()),
        edits in edits(),
        text in "\\PC{0,40}",
    ) {
        let (name, vocabulary) = vocabulary(json);
        let bytes = edited(file.1.into(), &edits);
        let others = [(name, &vocabulary[..])];
        let work = |path: &Path| encode_all(path, &text);
        fits_beside(&others, file.0, &bytes, (4 * BASE, 64), work)?;
    }

    #[test]
    fn a_setting_of_a_tokenizer_of_any_value_is_read_or_refused(
        json in any::<bool>(),
        (file, text) in select(SETTINGS.to_vec()),
        key in any::<Index>(),
        value in value(),
        encoded in "\\PC{0,40}",
    ) {
        let mut settings: serde_json::Value = serde_json::from_str(text).unwrap();
        let keys: Vec<_> = settings.as_object().unwrap().keys().cloned().collect();
        settings[key.get(&keys)] = value;
        let (name, vocabulary) = vocabulary(json);
        let others = [(name, &vocabulary[..])];
        let work = |path: &Path| encode_all(path, &encoded);
        let bytes = settings.to_string().into_bytes();
        fits_beside(&others, file, &bytes, (4 * BASE, 64), work)?;
    }

    #[test]
    fn a_configuration_of_any_text_is_read_or_refused(
        bert in any::<bool>(),
        edits in edits(),
    ) {
            let config = if bert { Config::bert() } else { Config::distilbert() };
        let bytes = edited(config.to_json().to_string().into_bytes(), &edits);
        let text = String::from_utf8_lossy(&bytes);
        let path = Path::new("config.json");
        let most = peak(|| {
            if let Ok(config) = Config::from_json(&text, path) {
                assert!(config.validate(path).is_ok());
                assert!(config.hidden_size.is_multiple_of(config.num_attention_heads));
                let again = Config::from_json(&config.to_json().to_string(), path);
                assert_eq!(again.expect("what is written is read back"), config);
            }
        });
        prop_assert!(most <= BASE + 64 * text.len(), "{most} bytes for {}", text.len());
    }

    #[test]
    fn a_field_of_any_value_is_read_or_refused(
        field in any::<Index>(),
        value in value(),
    ) {
        let mut json = Config::bert().to_json();
        json["num_labels"] = 2.into();
        let name = field.get(&json.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).clone();
        json[name.as_str()] = value;
        let _ = Config::from_json(&json.to_string(), Path::new("config.json"));
    }

    #[test]
    fn a_tokenizer_of_any_json_is_read_or_refused(
        edits in edits(),
        text in "\\PC{0,40}",
    ) {
        let bytes = edited(tokenizer_json(), &edits);
        fits("tokenizer.json", &bytes, (4 * BASE, 64), |path| encode_all(path, &text))?;
    }

    #[test]
    fn a_vocabulary_of_any_bytes_is_read_or_refused(
        edits in edits(),
        lines in vec("\\PC{0,6}", 0..40),
        text in "\\PC{0,40}",
    ) {
        let vocab = format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n{}\n", lines.join("\n"));
        let bytes = edited(vocab.into_bytes(), &edits);
        fits("vocab.txt", &bytes, (4 * BASE, 64), |path| encode_all(path, &text))?;
    }
}

/// A value that a key does not expect.
fn value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        any::<u64>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        (0..70_000_u64).prop_map(serde_json::Value::from),
        Just(serde_json::json!(null)),
        Just(serde_json::json!({"0": "a"})),
        Just(serde_json::json!([1, "x"])),
        ".{0,8}".prop_map(serde_json::Value::from),
    ]
}

/// Now and then, edits that hit the length of the header or the data, too.
fn edits_of_the_whole() -> impl Strategy<Value = Vec<Edit>> {
    prop_oneof![4 => Just(Vec::new()), 1 => edits()]
}
