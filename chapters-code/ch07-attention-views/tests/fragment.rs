//! What a fragment is made of, and what is refused.

use attention_views::{
    EncoderDecoder, HeadView, Language, ModelView, NeuronView, Stack, Theme, ViewError,
};
use ndarray::Array3;

const HOSTILE: [&str; 5] =
    ["</script><script>alert(1)</script>", "\"'&", "<!--", "\u{2028}\u{2029}", "]]>"];

fn uniform(shape: [usize; 4]) -> Stack {
    let count = shape.iter().product();
    Stack::new(shape, vec![1.0 / shape[3] as f32; count])
        .expect("all weights are there")
}

fn error<T>(result: Result<T, ViewError>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn tokens_cannot_leave_the_data() {
    let html = HeadView::new(&uniform([1, 1, 5, 5]), HOSTILE).unwrap().html().unwrap();
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script>").count(), 3);
    assert_eq!(html.matches("<!--").count(), 0);
    assert!(!html.contains(['\u{2028}', '\u{2029}']));
    let start = html.find("json\">").expect("the data") + 6;
    let end = start + html[start..].find("</script>").expect("its end");
    let data: serde_json::Value =
        serde_json::from_str(&html[start..end]).expect("JSON");
    assert_eq!(data["stacks"][0]["left"], serde_json::json!(HOSTILE));
}

#[test]
fn a_view_s_name_is_of_what_it_shows_and_not_of_its_numbers() {
    let name = |html: String| {
        let start = html.find("data-attention-view=\"").expect("a name") + 21;
        html[start..start + 8].to_owned()
    };
    let head = |stack: &Stack, tokens: [&str; 2]| {
        name(HeadView::new(stack, tokens).unwrap().html().unwrap())
    };
    let stack = |weight: f32| {
        let row = [weight, 1.0 - weight];
        Stack::new([1, 1, 2, 2], [row, row].concat()).unwrap()
    };
    let half = head(&stack(0.5), ["o", "gato"]);
    assert_eq!(half, head(&stack(0.5 + f32::EPSILON), ["o", "gato"]));
    let model = ModelView::new(&stack(0.5), ["o", "gato"]).unwrap().html().unwrap();
    let zoomed = HeadView::new(&stack(0.5), ["o", "gato"]).unwrap().heads([0]);
    let others =
        [head(&stack(0.5), ["a", "gata"]), name(model), name(zoomed.html().unwrap())];
    assert!(!others.contains(&half), "{half} {others:?}");
}

#[test]
fn a_fragment_is_whole_and_asks_for_nothing() {
    let stack = uniform([2, 2, 5, 5]);
    let vectors = uniform([2, 2, 5, 4]);
    let fragments = [
        HeadView::new(&stack, HOSTILE).unwrap().html().unwrap(),
        ModelView::new(&stack, HOSTILE).unwrap().html().unwrap(),
        NeuronView::new(&stack, &vectors, &vectors, HOSTILE).unwrap().html().unwrap(),
    ];
    for html in &fragments {
        assert!(!html.contains("\n\n"), "Markdown would end it at a blank line");
        for outside in ["https:", "//cdn", "src=\"http", "import ", "fetch("] {
            assert!(!html.contains(outside), "{outside} in a fragment");
        }
        // SVG's name is no address to be fetched, and it is the only one.
        let addresses = html.matches("http://").count();
        assert_eq!(addresses, html.matches("http://www.w3.org/2000/svg").count());
    }
    let again = HeadView::new(&stack, HOSTILE).unwrap().html().unwrap();
    assert_eq!(fragments[0], again, "a notebook's output does not change by itself");
}

#[test]
fn a_saved_file_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("view.html");
    let view = HeadView::new(&uniform([1, 1, 5, 5]), HOSTILE).unwrap();
    view.clone().language(Language::Portuguese).theme(Theme::Dark).save(&path).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"pt-BR\">"));
    assert!(page.contains("\"theme\":\"dark\""));
    let nowhere = view.save(folder.path().join("no/folder/view.html"));
    assert!(error(nowhere).starts_with("cannot write "));
}

#[test]
fn errors_state_both_counts() {
    let stack = uniform([2, 3, 4, 4]);
    let tokens = ["a", "b", "c", "d"];
    let view = || HeadView::new(&stack, tokens).unwrap();
    for (found, expected) in [
        (
            error(HeadView::new(&stack, ["a", "b", "c"])),
            "the attention has 4 rows and there are 3 looking tokens: give the tokens that \
             the model read, [CLS] and [SEP] among them",
        ),
        (
            error(view().heads([1, 3]).html()),
            "head 3 does not exist: the attention has 3 heads, from 0 to 2",
        ),
        (error(view().layer(2).html()), "layer 2 is not in include_layers: [0, 1]"),
        (
            error(view().include_layers([0, 2]).html()),
            "layer 2 does not exist: the attention has 2 layers, from 0 to 1",
        ),
        (
            error(view().sentence_b_start(4).html()),
            "sentence B can't begin at token 4: there are 4 tokens, so it begins somewhere \
             from 1 to 3",
        ),
        (
            error(Stack::new([1, 1, 2, 2], vec![0.5, 0.5, 0.5, f32::NAN])),
            "the attention of layer 0, head 0 is NaN at row 1, column 1: a view shows finite \
             numbers",
        ),
    ] {
        assert_eq!(found, expected);
    }
    assert!(error(view().heads([]).html()).starts_with("heads is an empty list"));
    assert!(error(Stack::new([1, 1, 2, 2], vec![0.0; 3])).contains("3 numbers"));
    assert!(error(Stack::new([1, 0, 2, 2], vec![])).contains("no heads"));
    let keys = uniform([2, 3, 4, 8]);
    let found = error(NeuronView::new(&stack, &uniform([2, 3, 4, 4]), &keys, tokens));
    assert!(found.contains("the keys have shape [2, 3, 4, 8]"), "{found}");
    assert!(found.contains("[2, 3, 4, 4]"), "{found}");
}

#[test]
fn encoders_and_decoders_that_differ_are_told_apart() {
    let two = || EncoderDecoder::new(["a", "b", "c"], ["x", "y"]);
    assert_eq!(
        error(HeadView::encoder_decoder(two()).html()),
        "give at least one of the encoder, decoder and cross attentions"
    );
    let heads = two().encoder(&uniform([1, 2, 3, 3])).unwrap();
    let heads = heads.decoder(&uniform([1, 4, 2, 2])).unwrap();
    assert_eq!(
        error(HeadView::encoder_decoder(heads).html()),
        "the encoder attention has 2 heads and the decoder attention has 4: show them \
         in two views"
    );
    let layers = two().encoder(&uniform([2, 2, 3, 3])).unwrap();
    let layers = layers.cross(&uniform([3, 2, 2, 3])).unwrap();
    let view = HeadView::encoder_decoder(layers);
    assert!(error(view.html()).contains("the encoder attention has 2 layers"));
    assert!(view.include_layers([0, 1]).html().is_ok());
    assert!(error(two().cross(&uniform([1, 1, 3, 2]))).contains("3 rows"));
}

#[test]
fn layers_are_arrays_of_one_shape() {
    let tokens = ["a", "b"];
    let expected = HeadView::new(&uniform([2, 3, 2, 2]), tokens).unwrap();
    let layer = |heads| Array3::<f64>::from_elem((heads, 2, 2), 0.5);
    let view = HeadView::new(&vec![layer(3); 2], tokens).unwrap();
    assert_eq!(view.bertviz_json().unwrap(), expected.bertviz_json().unwrap());
    assert_eq!(
        error(HeadView::new(&vec![layer(3), layer(2)], tokens)),
        "layer 1 of the attention has shape [2, 2, 2] where layer 0 has [3, 2, 2]: all \
         layers of a model have the same heads and tokens"
    );
}
