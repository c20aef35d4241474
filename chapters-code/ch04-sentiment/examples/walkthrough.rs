//! The cells of chapter 4, in order: `cargo run -p ch04-sentiment --example ch04-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::collections::HashSet;

use figures::{BarChart, Heatmap, LineChart};
use ndarray::Array2;
use sentiment::attribution::*;
use sentiment::calibration::*;
use sentiment::sentences::*;
use sentiment::vectors::*;
use sentiment::wordpiece::*;
use sentiment::*;
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: pipeline
    let folder: ModelFolder = resolve("bertinho-sentiment", &HubOptions::from_env())?;
    let pipeline: SentimentPipeline = SentimentPipeline::load(&folder)?;
    // ANCHOR_END: pipeline

    // ANCHOR: classify
    const NOTES: [&str; 2] = [
        "I love this new movie, it's fantastic!",
        "The service was terrible from start to finish.",
    ];
    for found in pipeline.classify(&NOTES, Truncate::Error)? {
        println!("{} {:.4}  {}", found.label, found.score, found.text);
    }
    // ANCHOR_END: classify

    // ANCHOR: config
    let config: Config = folder.config()?;
    println!("layers     {}", config.num_hidden_layers);
    println!("heads      {}", config.num_attention_heads);
    println!("d_model    {}", config.hidden_size);
    println!("d_ff       {}", config.intermediate_size);
    println!("vocabulary {}", config.vocab_size);
    println!("labels     {:?}", config.id2label);
    // ANCHOR_END: config

    // ANCHOR: by_hand
    let vocabulary: HashSet<String> = all_pieces(&pipeline.model.tokenizer);
    for (rest, word_begins) in [("fantastic", true), ("tic", false)] {
        for piece in candidates(rest, word_begins) {
            let found = vocabulary.contains(&piece);
            println!("{} {piece}", if found { "✓" } else { "·" });
            if found {
                break;
            }
        }
    }
    println!("{:?}", wordpiece("fantastic", &vocabulary));
    // ANCHOR_END: by_hand

    // ANCHOR: more_words
    for word in ["terrible", "TERRIBLE", "unforgettable", "maravilhosamente", "日本"]
    {
        println!("{word}: {}", wordpiece(word, &vocabulary).join(" "));
    }
    // ANCHOR_END: more_words

    // ANCHOR: encode
    let encoded: Encoded =
        pipeline.model.tokenizer.encode(NOTES[0], None, Truncate::Error)?;
    for (token, id) in encoded.tokens.iter().zip(&encoded.ids) {
        println!("{id:>5}  {token}");
    }
    // ANCHOR_END: encode

    // ANCHOR: embedded
    let model: DistilBertForSequenceClassification =
        DistilBertForSequenceClassification::open(&folder)?;
    let batch: Batch = Batch::from_encoded(std::slice::from_ref(&encoded))?;
    let x: Tensor = model.distilbert.embeddings.forward(&batch, None)?;
    println!("{:?}", x.dims()); // [batch, n, d_model]
    for i in 0..3 {
        println!("{:<6} {} …", encoded.tokens[i], beginning(&x.i((0, i))?, 6)?);
    }
    // ANCHOR_END: embedded

    // ANCHOR: layers
    let mut hidden: Tensor = x.clone(); // [batch, n, d_model]
    println!("before   {} …", beginning(&hidden.i((0, 0))?, 6)?);
    for (i, layer) in model.distilbert.encoder.layers.iter().enumerate() {
        hidden = layer.forward(&hidden, None, None)?.output;
        println!("layer {i}  {} …", beginning(&hidden.i((0, 0))?, 6)?);
    }
    // ANCHOR_END: layers

    // ANCHOR: cls
    fn cls_after_each_layer(
        model: &DistilBertForSequenceClassification,
        pipeline: &SentimentPipeline,
        text: &str,
    ) -> Result<Vec<Tensor>, EncoderError> {
        let encoded = pipeline.model.tokenizer.encode(text, None, Truncate::Error)?;
        let run =
            ForwardOptions { output_hidden_states: true, ..ForwardOptions::default() };
        let found = model.distilbert.forward(&Batch::from_encoded(&[encoded])?, run)?;
        let states = found.hidden_states.unwrap_or_default(); // [1, n, d_model] each
        states.iter().map(|state| Ok(state.i((0, 0))?)).collect() // [d_model] each
    }
    const ALSO_PRAISE: &str = "The actors are brilliant and the music is beautiful.";
    let praise: Vec<Tensor> = cls_after_each_layer(&model, &pipeline, NOTES[0])?;
    let also: Vec<Tensor> = cls_after_each_layer(&model, &pipeline, ALSO_PRAISE)?;
    let blame: Vec<Tensor> = cls_after_each_layer(&model, &pipeline, NOTES[1])?;
    let mut same: Vec<(f64, f64)> = Vec::new();
    let mut opposite: Vec<(f64, f64)> = Vec::new();
    println!("layers  praise, praise  praise, blame");
    for i in 0..praise.len() {
        let alike = cosine(&praise[i], &also[i])?;
        let apart = cosine(&praise[i], &blame[i])?;
        println!("{i:6}  {alike:14.4}  {apart:13.4}");
        same.push((i as f64, alike));
        opposite.push((i as f64, apart));
    }
    // ANCHOR_END: cls

    // ANCHOR: cls_chart
    LineChart::new()
        .title(("O quanto dois [CLS] se parecem", "How alike two [CLS] are"))
        .x_title(("camadas", "layers"))
        .y_title(("cosseno", "cosine"))
        .series(("elogio, elogio", "praise, praise"), &same)
        .series(("elogio, crítica", "praise, blame"), &opposite)
        .draw()?
        .show()?;
    // ANCHOR_END: cls_chart

    // ANCHOR: head
    let cls: Tensor = hidden.i((.., 0))?; // [batch, d_model]
    println!("[CLS]  {:?}", cls.dims());
    let logits: Tensor = model.head.forward(&hidden, None)?; // [batch, labels]
    println!("logits {:.4?}", logits.to_vec2::<f32>()?);
    let scores: Tensor = softmax(&logits)?; // [batch, labels]
    println!("scores {:.4?}", scores.to_vec2::<f32>()?);
    let best: usize = scores.i(0)?.argmax(0)?.to_scalar::<u32>()? as usize;
    println!(
        "{} {:.4}",
        config.id2label[best],
        scores.i((0, best))?.to_scalar::<f32>()?
    );
    // ANCHOR_END: head

    // ANCHOR: sigmoid
    let margin: f32 = (logits.i((0, 1))? - logits.i((0, 0))?)?.to_scalar::<f32>()?;
    println!("margin {margin:.4}");
    println!("score of {}: {:.4}", config.id2label[1], 1.0 / (1.0 + (-margin).exp()));
    // ANCHOR_END: sigmoid

    // ANCHOR: padded
    let other: Encoded =
        pipeline.model.tokenizer.encode(NOTES[1], None, Truncate::Error)?;
    let texts: [Vec<u32>; 2] = [encoded.ids.clone(), other.ids.clone()];
    let two: Batch = Batch::padded(&texts, config.pad_token_id)?;
    for row in 0..two.rows() {
        let columns = row * two.n()..(row + 1) * two.n();
        println!("{:?}", &two.ids()[columns.clone()]);
        println!("{:?}", &two.attention_mask()[columns]);
    }
    // ANCHOR_END: padded

    // ANCHOR: together
    let alone: Tensor = pipeline.logits(&Batch::new(&texts[1..], None, None)?)?;
    let together: Tensor = pipeline.logits(&two)?.i(1..)?; // [1, labels]
    let filled: Vec<Vec<u32>> =
        two.ids().chunks_exact(two.n()).map(<[u32]>::to_vec).collect();
    let unmasked: Tensor =
        pipeline.logits(&Batch::new(&filled, None, None)?)?.i(1..)?;
    println!("alone    {:.4?}", alone.to_vec2::<f32>()?);
    println!("together {:.4?}", together.to_vec2::<f32>()?);
    println!("unmasked {:.4?}", unmasked.to_vec2::<f32>()?);
    println!("the same: {}", largest_difference(&alone, &together)? < 1e-4);
    // ANCHOR_END: together

    // ANCHOR: by_kind
    let texts: Vec<&str> = SENTENCES.iter().map(|sentence| sentence.text).collect();
    let found: Vec<Sentiment> = pipeline.classify(&texts, Truncate::Error)?;
    let mut answers: Vec<Answer> = Vec::new();
    println!("kind        right  mean score");
    for kind in Kind::ALL {
        let of_kind: Vec<Answer> = SENTENCES
            .iter()
            .zip(&found)
            .filter(|(sentence, _)| sentence.kind == kind)
            .map(|(sentence, found)| Answer {
                score: f64::from(found.score),
                right: found.label == sentence.label(),
            })
            .collect();
        let right = of_kind.iter().filter(|answer| answer.right).count();
        let sum: f64 = of_kind.iter().map(|answer| answer.score).sum();
        let mean = sum / of_kind.len() as f64;
        let kind = format!("{kind:?}");
        println!("{kind:<10}  {right:2}/{}  {mean:.4}", of_kind.len());
        answers.extend(of_kind);
    }
    // ANCHOR_END: by_kind

    // ANCHOR: mistakes
    let mut wrong: Vec<(Kind, Sentiment)> = Vec::new();
    for (sentence, found) in SENTENCES.iter().zip(&found) {
        if found.label != sentence.label() {
            wrong.push((sentence.kind, found.clone()));
        }
    }
    wrong.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    for (kind, found) in wrong.iter().take(8) {
        println!("{} {:.4}  {kind:?}: {}", found.label, found.score, found.text);
    }
    // ANCHOR_END: mistakes

    // ANCHOR: negation
    for text in [
        "The film is good.",
        "The film is not good.",
        "The film is bad.",
        "The film is not bad.",
    ] {
        let found = &pipeline.classify(&[text], Truncate::Error)?[0];
        println!("{} {:.4}  {text}", found.label, found.score);
    }
    // ANCHOR_END: negation

    // ANCHOR: irony
    for text in [
        "What a great film, two hours of watching paint dry!",
        "Oh great, another remake, exactly what the world needed.",
        "What a great film!",
    ] {
        let found = &pipeline.classify(&[text], Truncate::Error)?[0];
        println!("{} {:.4}  {text}", found.label, found.score);
    }
    // ANCHOR_END: irony

    // ANCHOR: sixty
    let right: usize = answers.iter().filter(|answer| answer.right).count();
    let (low, high): (f64, f64) = wilson(right, answers.len());
    let mean: f64 =
        answers.iter().map(|answer| answer.score).sum::<f64>() / answers.len() as f64;
    println!("right      {right}/{}", answers.len());
    println!("accuracy   {:.4}", right as f64 / answers.len() as f64);
    println!("95 % of    {low:.4} … {high:.4}");
    println!("mean score {mean:.4}");
    // ANCHOR_END: sixty

    // ANCHOR: held_out
    let held_out: HeldOut = HeldOut::of_the_book()?;
    println!("{}", held_out.sentences);
    println!("mean score  accuracy   95 %             sentences");
    for bin in &held_out.bins {
        let (low, high) = wilson(bin.right, bin.count);
        print!("{:10.4}  {:8.4}   {low:.4} … {high:.4}", bin.score, bin.accuracy());
        println!("  {:9}", bin.count);
    }
    let (count, right): (usize, usize) = held_out.totals();
    println!("right: {right}/{count} = {:.4}", right as f64 / count as f64);
    println!("expected calibration error: {:.4}", calibration_error(&held_out.bins));
    // ANCHOR_END: held_out

    // ANCHOR: reliability_chart
    fn points(bins: &[Bin]) -> Vec<(f64, f64)> {
        bins.iter().map(|bin| (bin.score, bin.accuracy())).collect()
    }
    LineChart::new()
        .title(("Score e acurácia", "Score and accuracy"))
        .x_title(("score médio", "mean score"))
        .y_title(("acurácia", "accuracy"))
        .series(("críticas deixadas de fora", "held out"), &points(&held_out.bins))
        .series(
            ("nossas sessenta frases", "our sixty"),
            &points(&reliability(&answers, 0.5, 2)),
        )
        .dashed_series(("calibrado", "calibrated"), &[(0.5, 0.5), (1.0, 1.0)])
        .draw()?
        .show()?;
    // ANCHOR_END: reliability_chart

    // ANCHOR: left_out
    let left_out: Vec<LeftOut> = leave_one_out(&pipeline, NOTES[0])?;
    println!("without     score  change");
    for LeftOut { word, score, change } in &left_out {
        println!("{word:<10} {score:.4} {change:7.4}");
    }
    // ANCHOR_END: left_out

    // ANCHOR: looking
    let by_word: Vec<Word> = words_of(&encoded);
    let weights: Tensor = last_attention(&pipeline, &batch)?; // [1, heads, n, n]
    let heads: Vec<Vec<f32>> = attention_to_words(&weights, &by_word)?;
    let attention: Vec<f32> = mean_of_heads(&heads); // [words]
    for (word, weight) in by_word.iter().zip(&attention) {
        println!("{:<10} {weight:.4}", word.text);
    }
    let to_words: f32 = attention.iter().sum();
    println!("all words       {to_words:.4}");
    println!("[CLS] and [SEP] {:.4}", 1.0 - to_words);
    // ANCHOR_END: looking

    // ANCHOR: two_measures
    fn wide(numbers: impl Iterator<Item = f32>) -> Vec<f64> {
        numbers.map(f64::from).collect()
    }
    BarChart::new(by_word.iter().map(|word| &word.text))
        .title(("As mesmas palavras, duas medidas", "The same words, two measures"))
        .series(
            ("atenção de [CLS]", "attention of [CLS]"),
            &wide(attention.iter().copied()),
        )
        .series(
            ("mudança sem ela", "change without it"),
            &wide(left_out.iter().map(|word| word.change)),
        )
        .draw()?
        .show()?;
    // ANCHOR_END: two_measures

    // ANCHOR: heads
    let shape: (usize, usize) = (heads.len(), by_word.len());
    let by_head: Array2<f64> = // [heads, words]
        Array2::from_shape_fn(shape, |(head, word)| f64::from(heads[head][word]));
    Heatmap::new(&by_head)
        .column_labels(by_word.iter().map(|word| &word.text))
        .row_title("head")
        .column_title(("palavra", "word"))
        .range(0.0, 1.0)
        .annotate(false)
        .title(("Para onde [CLS] olha, head a head", "Where [CLS] looks, head by head"))
        .draw()?
        .show()?;
    // ANCHOR_END: heads

    // ANCHOR: agreement
    fn attention_of(
        pipeline: &SentimentPipeline,
        text: &str,
    ) -> Result<Vec<f32>, EncoderError> {
        let encoded = pipeline.model.tokenizer.encode(text, None, Truncate::Error)?;
        let words = words_of(&encoded);
        let weights = last_attention(pipeline, &Batch::from_encoded(&[encoded])?)?;
        Ok(mean_of_heads(&attention_to_words(&weights, &words)?))
    }
    let mut agreements: Vec<f64> = Vec::new();
    let mut same_word: usize = 0;
    let mut by_chance: f64 = 0.0;
    for sentence in SENTENCES.iter().filter(|one| one.kind != Kind::Portuguese) {
        let attention = attention_of(&pipeline, sentence.text)?;
        let changes: Vec<f32> = leave_one_out(&pipeline, sentence.text)?
            .iter()
            .map(|word| word.change.abs())
            .collect();
        agreements.push(rank_correlation(&attention, &changes));
        same_word += usize::from(largest(&attention) == largest(&changes));
        by_chance += 1.0 / attention.len() as f64;
    }
    agreements.sort_by(f64::total_cmp);
    let count: usize = agreements.len();
    println!("rank correlation: median {:.4}", agreements[count / 2]);
    println!("from {:.4} to {:.4}", agreements[0], agreements[count - 1]);
    println!("the same word is first: {same_word}/{count}");
    println!("by chance: {by_chance:.1}/{count}");
    // ANCHOR_END: agreement
    Ok(())
}
