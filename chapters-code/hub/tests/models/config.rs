use std::path::Path;

use hub::{Activation, Architecture, Config, ProblemType, Result};
use serde_json::{Value, json};

fn bert() -> Value {
    json!({
        "architectures": ["BertForMaskedLM"],
        "attention_probs_dropout_prob": 0.2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.3,
        "hidden_size": 384,
        "intermediate_size": 1536,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": 256,
        "model_type": "bert",
        "num_attention_heads": 6,
        "num_hidden_layers": 3,
        "pad_token_id": 1,
        "type_vocab_size": 3,
        "vocab_size": 1000,
    })
}

fn distilbert() -> Value {
    json!({
        "activation": "gelu_new",
        "architectures": ["DistilBertForSequenceClassification"],
        "attention_dropout": 0.2,
        "dim": 384,
        "dropout": 0.3,
        "hidden_dim": 1536,
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
        "max_position_embeddings": 256,
        "model_type": "distilbert",
        "n_heads": 6,
        "n_layers": 3,
        "pad_token_id": 1,
        "seq_classif_dropout": 0.4,
        "sinusoidal_pos_embds": false,
        "vocab_size": 1000,
    })
}

fn read(json: &Value) -> Result<Config> {
    Config::from_json(&json.to_string(), Path::new("config.json"))
}

/// `transformers.BertConfig()` and `transformers.DistilBertConfig()`, as version 5 gives them.
#[test]
fn the_defaults_are_transformers() {
    let [bert, distilbert] = [Config::bert(), Config::distilbert()];
    for config in [&bert, &distilbert] {
        let sizes = [config.vocab_size, config.hidden_size, config.intermediate_size];
        assert_eq!(sizes, [30_522, 768, 3072]);
        assert_eq!(
            (config.num_attention_heads, config.max_position_embeddings),
            (12, 512)
        );
        let dropouts = json!([config.hidden_dropout, config.attention_dropout]);
        assert_eq!(dropouts, json!([0.1, 0.1]));
        assert!((config.layer_norm_eps - 1e-12).abs() < 1e-20);
    }
    assert_eq!([&bert, &distilbert].map(|config| config.num_hidden_layers), [12, 6]);
    assert_eq!([&bert, &distilbert].map(|config| config.type_vocab_size), [2, 0]);
    let dropouts = [&bert, &distilbert].map(|config| config.classifier_dropout);
    assert_eq!(json!(dropouts), json!([0.1, 0.2]));
}

/// A configuration with one field changed; `null` takes it out.
fn with(mut json: Value, field: &str, value: Value) -> Value {
    json[field] = value;
    json
}

fn message(json: &Value) -> String {
    read(json).expect_err("an error").to_string()
}

#[test]
fn bert_is_read() {
    let expected = Config {
        architecture: Architecture::Bert,
        classes: vec!["BertForMaskedLM".into()],
        vocab_size: 1000,
        hidden_size: 384,
        num_hidden_layers: 3,
        num_attention_heads: 6,
        intermediate_size: 1536,
        activation: Activation::Gelu,
        max_position_embeddings: 256,
        type_vocab_size: 3,
        layer_norm_eps: 1e-5,
        pad_token_id: 1,
        hidden_dropout: 0.3,
        attention_dropout: 0.2,
        classifier_dropout: 0.3,
        id2label: vec!["LABEL_0".into(), "LABEL_1".into()],
        problem_type: None,
        tie_word_embeddings: true,
        tokenizer_class: None,
    };
    assert_eq!(read(&bert()).unwrap(), expected);
    assert_eq!(expected.num_labels(), 2);
    let of_2018 = with(bert(), "model_type", Value::Null);
    assert_eq!(read(&of_2018).unwrap(), expected);
}

#[test]
fn distilbert_is_read() {
    let expected = Config {
        architecture: Architecture::DistilBert,
        classes: vec!["DistilBertForSequenceClassification".into()],
        activation: Activation::GeluTanh,
        type_vocab_size: 0,
        layer_norm_eps: 1e-12,
        classifier_dropout: 0.4,
        id2label: vec!["NEGATIVE".into(), "POSITIVE".into()],
        ..read(&bert()).unwrap()
    };
    assert_eq!(read(&distilbert()).unwrap(), expected);
}

#[test]
fn what_is_written_is_read_back() {
    for json in [bert(), distilbert()] {
        let config = read(&json).unwrap();
        assert_eq!(read(&config.to_json()).unwrap(), config);
    }
    for config in [Config::bert(), Config::distilbert()] {
        assert_eq!(read(&config.to_json()).unwrap(), config);
    }
}

#[test]
fn what_may_be_left_out_has_the_default_of_transformers() {
    let mut json = bert();
    for field in ["layer_norm_eps", "type_vocab_size", "hidden_act", "pad_token_id"] {
        json = with(json, field, Value::Null);
    }
    let config = read(&json).unwrap();
    assert_eq!((config.type_vocab_size, config.pad_token_id), (2, 0));
    assert_eq!((config.layer_norm_eps, config.activation), (1e-12, Activation::Gelu));
}

#[test]
fn labels_are_in_the_order_of_their_ids() {
    let labels: serde_json::Map<_, _> =
        (0..12).map(|id| (id.to_string(), format!("label {id}").into())).collect();
    let config = read(&with(bert(), "id2label", labels.into())).unwrap();
    assert_eq!((config.num_labels(), config.id2label[10].as_str()), (12, "label 10"));
    let config = read(&with(bert(), "num_labels", json!(3))).unwrap();
    assert_eq!(config.id2label, ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn activations_have_several_names() {
    for (name, activation) in [
        ("gelu", Activation::Gelu),
        ("gelu_new", Activation::GeluTanh),
        ("gelu_pytorch_tanh", Activation::GeluTanh),
        ("relu", Activation::Relu),
    ] {
        let config = read(&with(bert(), "hidden_act", json!(name))).unwrap();
        assert_eq!(config.activation, activation);
    }
}

#[test]
fn a_field_out_of_range_is_named_with_its_range() {
    let whole = "not a whole number, not negative";
    let share = "not between 0 and 1, both excluded";
    let names = "not a name for each id from \"0\" up, without gaps";
    for (of, field, value, range) in [
        (bert(), "vocab_size", json!(0), "not 1 to 16777216"),
        (bert(), "vocab_size", json!(1 << 25), "not 1 to 16777216"),
        (bert(), "vocab_size", json!(-1), whole),
        (bert(), "vocab_size", json!(1.5), whole),
        (bert(), "hidden_size", json!("x"), whole),
        (
            bert(),
            "hidden_size",
            json!(385),
            "not a multiple of num_attention_heads = 6",
        ),
        (distilbert(), "dim", json!(385), "not a multiple of n_heads = 6"),
        (distilbert(), "dim", json!(u64::MAX), "not 1 to 65536"),
        (bert(), "num_attention_heads", json!(0), "not 1 to 384"),
        (distilbert(), "n_layers", json!(5000), "not 1 to 1024"),
        (bert(), "intermediate_size", json!(0), "not 1 to 65536"),
        (bert(), "max_position_embeddings", json!(0), "not 1 to 16777216"),
        (bert(), "type_vocab_size", json!(0), "not 1 to 65536"),
        (bert(), "layer_norm_eps", json!(0), share),
        (bert(), "layer_norm_eps", json!([]), "not a number"),
        (bert(), "pad_token_id", json!(1000), "not less than vocab_size = 1000"),
        (bert(), "hidden_dropout_prob", json!(1.5), "not 0 to 1"),
        (distilbert(), "seq_classif_dropout", json!(-1), "not 0 to 1"),
        (bert(), "num_labels", json!(0), "not 1 to 10000"),
        (bert(), "id2label", json!({"0": "a", "2": "b"}), names),
        (bert(), "architectures", json!("Bert"), "not a list of names"),
    ] {
        let expected = format!("config.json: {field} is {value}, {range}");
        assert_eq!(message(&with(of, field, value)), expected);
    }
    for (field, value, expected) in [
        ("vocab_size", Value::Null, "vocab_size is missing, not a whole number"),
        (
            "layer_norm_eps",
            json!(-1e-12),
            "layer_norm_eps is -0.000000000001, not between 0 and 1, both excluded",
        ),
        ("id2label", json!({}), "number of id2label is 0, not 1 to 10000"),
    ] {
        assert_eq!(
            message(&with(bert(), field, value)),
            format!("config.json: {expected}")
        );
    }
    let mut huge = bert();
    for (field, size) in [
        ("hidden_size", 65536),
        ("num_attention_heads", 64),
        ("vocab_size", 1 << 24),
        ("num_hidden_layers", 1024),
    ] {
        huge[field] = json!(size);
    }
    assert_eq!(
        message(&huge),
        "config.json: the product of the sizes is 16777216 × 65536 with 1024 \
         num_hidden_layers, not a model of at most 34359738367 parameters"
    );
    let eps = Config { layer_norm_eps: f64::NAN, ..Config::bert() };
    let dropout = Config { hidden_dropout: f64::NAN, ..Config::bert() };
    assert!([eps, dropout].iter().all(|nan| nan.validate(Path::new("x")).is_err()));
}

#[test]
fn other_models_are_refused_by_name() {
    let models = "the book's models are `bert` and `distilbert`";
    let activations = "the activations are gelu, gelu_new, gelu_pytorch_tanh and relu";
    let encoders = "only encoders are";
    for (field, value, supported) in [
        ("model_type", json!("roberta"), models),
        ("hidden_act", json!("silu"), activations),
        (
            "position_embedding_type",
            json!("relative_key"),
            "only absolute positions are",
        ),
        ("is_decoder", json!(true), encoders),
        ("add_cross_attention", json!(true), encoders),
        ("pruned_heads", json!({"1": [0]}), "only models with all their heads are"),
        ("quantization_config", json!({}), "only f32, f16 and bf16 weights are"),
    ] {
        let expected =
            format!("config.json: {field} = {value} is not supported; {supported}");
        assert_eq!(message(&with(bert(), field, value)), expected);
    }
    let harmless = with(bert(), "position_embedding_type", json!("absolute"));
    let harmless = with(harmless, "is_decoder", json!(false));
    read(&with(harmless, "pruned_heads", json!({}))).unwrap();
    let no_type = with(bert(), "model_type", Value::Null);
    let gpt = with(no_type.clone(), "architectures", json!(["GPT2Model"]));
    assert!(message(&gpt).contains("architectures = [\"GPT2Model\"] is not supported"));
    let neither = with(no_type, "architectures", Value::Null);
    assert_eq!(
        message(&neither),
        "config.json: model_type is missing, not `bert` or `distilbert`"
    );
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    for (text, why) in [
        ("{\"a\": ", "EOF while parsing"),
        ("[]", "invalid type"),
        ("{\"layer_norm_eps\": NaN}", "expected value"),
    ] {
        let error =
            Config::from_json(text, Path::new("c.json")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("c.json is not valid: {why}")), "{error}");
    }
    let error = Config::from_file(Path::new("/no/such/config.json")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read /no/such/config.json: "));
}

/// As transformers 4.30 and 5.23 read them: what `dim` says doesn't count then.
#[test]
fn distilbert_goes_by_berts_names_too() {
    for (own, berts, value) in [
        ("dim", "hidden_size", 48),
        ("n_layers", "num_hidden_layers", 5),
        ("n_heads", "num_attention_heads", 4),
    ] {
        let expected = read(&with(distilbert(), own, json!(value))).unwrap();
        assert_ne!(expected, read(&distilbert()).unwrap());
        for json in [distilbert(), with(distilbert(), own, Value::Null)] {
            assert_eq!(
                read(&with(json, berts, json!(value))).unwrap(),
                expected,
                "{berts}"
            );
        }
    }
    let message = message(&with(distilbert(), "hidden_size", json!("x")));
    assert!(message.contains("hidden_size is \"x\", not a whole number"), "{message}");
    // `intermediate_size` is no other name of `hidden_dim`.
    let same = read(&with(distilbert(), "intermediate_size", json!(7))).unwrap();
    assert_eq!(same, read(&distilbert()).unwrap());
}

#[test]
fn the_kind_of_problem_is_one_of_three() {
    for (name, expected) in [
        ("regression", ProblemType::Regression),
        ("single_label_classification", ProblemType::SingleLabel),
        ("multi_label_classification", ProblemType::MultiLabel),
    ] {
        let config = read(&with(bert(), "problem_type", json!(name))).unwrap();
        assert_eq!(config.problem_type, Some(expected));
        assert_eq!(read(&config.to_json()).unwrap(), config);
    }
    let found = message(&with(bert(), "problem_type", json!("multi_label")));
    let names =
        "problem_type is multi_label, not one of regression, single_label_class";
    assert!(found.contains(names), "{found}");
    let one = with(bert(), "num_labels", json!(1));
    assert_eq!(read(&one).unwrap().id2label, ["LABEL_0"]);
    let one = with(one, "problem_type", json!("single_label_classification"));
    assert!(message(&one).contains("one label alone leaves nothing to choose"));
}

/// transformers 4.30 reads two labels here, and 5.23 three.
#[test]
fn labels_that_are_not_as_many_as_their_names_are_refused() {
    let json = with(distilbert(), "num_labels", json!(3));
    let message = message(&json);
    assert!(
        message.ends_with("num_labels is 3, not 2, as many as id2label has"),
        "{message}"
    );
    let json = with(distilbert(), "num_labels", json!(2));
    assert_eq!(read(&json).unwrap(), read(&distilbert()).unwrap());
}
