//! The cells of chapter 5, in order: `cargo run -p ch05-bert-attention --example
//! ch05-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use bert_attention::explanation::{argmax, words};
use bert_attention::nouns::NOUNS;
use bert_attention::profile::{SHARES, top};
use bert_attention::query_key::chance;
use bert_attention::sentences::*;
use bert_attention::translation::*;
use bert_attention::*;
use figures::{Heatmap, HeatmapGrid, LineChart};
use hub::{Encoded, HubOptions, ModelFolder, Truncate};
use ndarray::{Array1, Array2, Axis};
// ANCHOR_END: imports

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: model
    let folder: ModelFolder = hub::resolve("bertinho", &HubOptions::from_env())?;
    let model: Pretrained = Pretrained::load(&folder)?;
    println!("layers     {}", model.config.num_hidden_layers);
    println!("heads      {}", model.config.num_attention_heads);
    println!("d_model    {}", model.config.hidden_size);
    println!("vocabulary {}", model.config.vocab_size);
    // ANCHOR_END: model

    // ANCHOR: tokens
    const TEXT: &str = "O gato sentou no tapete e o cachorro correu.";
    let outputs: Attentions = Attentions::of(&model, TEXT, None, Truncate::Error)?;
    println!("{:?}", outputs.tokens);
    println!("{:?}", outputs.ids);
    println!("{} × {:?}", outputs.layers(), outputs.attentions[0].shape());
    // ANCHOR_END: tokens

    // ANCHOR: first_head
    let first: Array2<f64> = outputs.head(0, 0)?; // [n, n]
    Heatmap::new(&first)
        .row_labels(&outputs.tokens)
        .column_labels(&outputs.tokens)
        .range(0.0, 1.0)
        .annotate(false)
        .title(("Camada 0, head 0", "Layer 0, head 0"))
        .draw()?
        .show()?;
    // ANCHOR_END: first_head

    // ANCHOR: top_keys
    for (token, row) in outputs.tokens.iter().zip(first.rows()) {
        let to = argmax(&row.to_owned());
        println!("{token:>8} → {:<8}  {:.4}", outputs.tokens[to], row[to]);
    }
    // ANCHOR_END: top_keys

    // ANCHOR: all_heads
    let mut panels: Vec<Heatmap> = Vec::new();
    for layer in 0..outputs.layers() {
        for head in 0..outputs.heads()? {
            panels.push(Heatmap::new(&outputs.head(layer, head)?));
        }
    }
    HeatmapGrid::of(panels)
        .columns(outputs.heads()?)
        .grid_row_titles((0..outputs.layers()).map(|layer| layer.to_string()))
        .grid_column_titles((0..outputs.heads()?).map(|head| head.to_string()))
        .range(0.0, 1.0)
        .title(("144 heads, uma frase", "144 heads, one sentence"))
        .draw()?
        .show()?;
    // ANCHOR_END: all_heads

    // ANCHOR: sentences
    let sentences: Vec<&str> = both_languages();
    for i in [0, 1, 80, 81] {
        println!("{}", sentences[i]);
    }
    // ANCHOR_END: sentences

    // ANCHOR: profiles
    let profiles: Profiles = Profiles::of(&model, &sentences)?;
    println!("{} sentences, {} tokens", profiles.sentences, profiles.tokens);
    // ANCHOR_END: profiles

    // ANCHOR: shares
    fn print_shares(profiles: &Profiles) {
        println!("            all     uniform  greatest");
        for (name, measure) in SHARES {
            let map = profiles.map(measure); // [layers, heads]
            let ((layer, head), greatest) = top(&map, 1)[0];
            let (mean, uniform) =
                (map.mean().unwrap_or(0.0), measure(&profiles.uniform));
            println!(
                "{name:>8}  {mean:.4}   {uniform:.4}   {greatest:.4} in {layer}·{head}"
            );
        }
    }
    print_shares(&profiles);
    // ANCHOR_END: shares

    // ANCHOR: maps
    fn in_portuguese(share: &str) -> &str {
        match share {
            "itself" => "a si mesmo",
            "previous" => "anterior",
            "next" => "seguinte",
            special => special,
        }
    }
    fn maps(profiles: &Profiles) -> HeatmapGrid {
        let panel = |(name, measure)| {
            Heatmap::new(&profiles.map(measure)).title((in_portuguese(name), name))
        };
        HeatmapGrid::of(SHARES.map(panel))
            .row_title(("camada", "layer"))
            .column_title("head")
            .columns(2)
            .range(0.0, 1.0)
            .root_scale()
    }
    maps(&profiles)
        .title(("O que os heads do bertinho olham", "What bertinho's heads look at"))
        .draw()?
        .show()?;
    // ANCHOR_END: maps

    // ANCHOR: layers
    let mut series: Vec<Vec<(f64, f64)>> = Vec::new();
    for (_, measure) in SHARES {
        let means: Array1<f64> =
            profiles.map(measure).mean_axis(Axis(1)).ok_or("no heads")?;
        series.push((0..).map(f64::from).zip(means).collect());
    }
    let mut chart: LineChart = LineChart::new();
    for ((name, _), points) in SHARES.iter().zip(&series) {
        chart = chart.series((in_portuguese(name), name), points);
    }
    chart
        .title((
            "Parte média da atenção, por camada",
            "Mean share of attention by layer",
        ))
        .x_title(("camada", "layer"))
        .y_title(("parte", "share"))
        .draw()?
        .show()?;
    // ANCHOR_END: layers

    // ANCHOR: spread
    let entropy: Array2<f64> = profiles.map(|profile| profile.entropy);
    let distance: Array2<f64> = profiles.map(|profile| profile.distance);
    println!("layer   entropy: least, mean, most     distance: least, mean, most");
    for (layer, (bits, far)) in
        entropy.rows().into_iter().zip(distance.rows()).enumerate()
    {
        print!("{layer:5} ");
        for row in [bits, far] {
            let least = row.fold(f64::MAX, |a, &b| a.min(b));
            let most = row.fold(0.0_f64, |a, &b| a.max(b));
            print!("       {least:6.2} {:6.2} {most:6.2}", row.mean().unwrap_or(0.0));
        }
        println!();
    }
    let uniform: HeadProfile = profiles.uniform;
    println!("uniform {:18.2} {:27.2}", uniform.entropy, uniform.distance);
    // ANCHOR_END: spread

    // ANCHOR: specialised
    for (name, measure) in SHARES {
        print!("{name:>9}");
        for ((layer, head), value) in top(&profiles.map(measure), 4) {
            print!("   {layer:2}·{head:<2} {value:.2}");
        }
        println!();
    }
    print!("{:>9}", "sharpest");
    for ((layer, head), bits) in top(&-&entropy, 4) {
        print!("   {layer:2}·{head:<2} {:.2}", -bits);
    }
    println!("  bits");
    // ANCHOR_END: specialised

    // ANCHOR: diagonal
    let zero: HeadProfile = profiles.heads[0][0];
    println!(
        "layer 0, head 0: itself {:.2}, special {:.2}\n",
        zero.itself,
        zero.special()
    );
    let heads: usize = entropy.len();
    for (name, measure) in SHARES {
        println!(
            "{name:>8}: over half in {} of {heads} heads",
            profiles.over(measure, 0.5)
        );
    }
    let special: usize = profiles.over(HeadProfile::special, 0.5);
    println!("[CLS] and [SEP] together: over half in {special} of {heads} heads");
    // ANCHOR_END: diagonal

    // ANCHOR: in_the_sentence
    for (noun, verb) in [("gato", "sentou"), ("cachorro", "correu")] {
        let pair: QueryKeyPair =
            QueryKeyPair::find(&model.tokenizer, TEXT, noun, verb)?
                .ok_or("split into pieces")?;
        let hits: Array2<f64> = top1_accuracy(&model, std::slice::from_ref(&pair))?;
        let (count, blindly) = (hits.sum(), chance(&[pair]) * heads as f64);
        let here = hits[[0, 0]] > 0.5;
        println!("{noun} → {verb}: first choice in {count} of {heads} heads");
        println!("   in layer 0, head 0: {here}; blindly, in {blindly:.1}");
    }
    // ANCHOR_END: in_the_sentence

    // ANCHOR: subjects
    println!("{}\n{}", subjects()[0].near, subjects()[0].far);
    println!("{}\n{}", english_subjects()[1].near, english_subjects()[1].far);
    let verbs: Verbs = Verbs::of(&model, &subjects())?;
    // ANCHOR_END: subjects

    // ANCHOR: verbs
    fn print_verbs(verbs: &Verbs, profiles: &Profiles) {
        let (near, far) = (verbs.near.map(), verbs.far.map()); // [layers, heads]
        println!("{} subjects     near   far", verbs.subjects);
        println!("blind           {:5.2}  {:5.2}", verbs.near.blind, verbs.far.blind);
        let luckiest = (verbs.near.luckiest, verbs.far.luckiest);
        println!(
            "luckiest of {:<3} {:5.2}  {:5.2}",
            near.len(),
            luckiest.0,
            luckiest.1
        );
        for (name, map) in [("near", &near), ("far", &far)] {
            println!("best when {name:<5}               share to next");
            for (at, _) in top(map, 3) {
                let next = profiles.heads[at.0][at.1].next;
                let head = format!("{}·{}", at.0, at.1);
                println!("{head:>12}    {:5.2}  {:5.2}  {next:.2}", near[at], far[at]);
            }
        }
    }
    print_verbs(&verbs, &profiles);
    // ANCHOR_END: verbs

    // ANCHOR: minilm
    let measured: Measurements = Measurements::of_minilm()?;
    let minilm: Profiles = measured.profiles.clone();
    println!("{}, {} sentences", minilm.model, minilm.sentences);
    print_shares(&minilm);
    println!("\nbertinho, the same {} sentences", english().len());
    let in_english: Profiles = Profiles::of(&model, &english())?;
    print_shares(&in_english);
    // ANCHOR_END: minilm

    // ANCHOR: minilm_maps
    maps(&minilm)
        .title(("O que os heads do MiniLM olham", "What MiniLM's heads look at"))
        .draw()?
        .show()?;
    // ANCHOR_END: minilm_maps

    // ANCHOR: minilm_claims
    let heads: usize = minilm.map(HeadProfile::special).len();
    for (name, measure) in SHARES {
        println!(
            "{name:>8}: over half in {} of {heads} heads",
            minilm.over(measure, 0.5)
        );
    }
    println!();
    print_verbs(&measured.verbs, &minilm);
    // ANCHOR_END: minilm_claims

    // ANCHOR: minilm_layers
    for (name, profiles) in [("MiniLM", &minilm), ("bertinho", &in_english)] {
        print!("{name:>8}");
        for heads in &profiles.heads {
            let shares = heads.iter().map(HeadProfile::special);
            print!("  {:.2}", shares.sum::<f64>() / heads.len() as f64);
        }
        println!();
    }
    // ANCHOR_END: minilm_layers

    // ANCHOR: translators
    fn english_first() -> Vec<(&'static str, &'static str)> {
        pairs().into_iter().map(|(portuguese, english)| (english, portuguese)).collect()
    }
    fn in_the_same_place(one: &NounPair) -> bool {
        let first = one.english.min(one.portuguese) - 1;
        let second = one.english.max(one.portuguese) - one.second;
        first == second
    }
    let nouns: Vec<NounPair> = find_nouns(&model.tokenizer, &english_first(), &NOUNS)?;
    let translators: Vec<TranslationHead> = translation_heads(&model.encoder, &nouns)?;
    let same: usize = nouns.iter().filter(|one| in_the_same_place(one)).count();
    println!("{} looks each way, {same} of them to the same place\n", nouns.len());
    println!("         en → pt            pt → en");
    println!("         words  all tokens  words  all tokens");
    let middle: usize = translators.len() / 2;
    for place in [0, 1, 2, 3, 4, middle] {
        let TranslationHead { layer, head, to_portuguese, to_english } =
            translators[place];
        print!("{layer:2}·{head:<2}  ");
        for choice in [to_portuguese, to_english] {
            print!("  {:.2}   {:.2}      ", choice.across, choice.overall);
        }
        println!();
    }
    // ANCHOR_END: translators

    // ANCHOR: pair
    let pair: Attentions = Attentions::of(
        &model,
        "O gato dormiu na cama.",
        Some("The cat slept on the bed."),
        Truncate::Error,
    )?;
    let best: TranslationHead = translators[0];
    let translator: Array2<f64> = pair.head(best.layer, best.head)?; // [n, n]
    Heatmap::new(&translator)
        .row_labels(&pair.tokens)
        .column_labels(&pair.tokens)
        .annotate(false)
        .range(0.0, 1.0)
        .title((
            format!("Camada {}, head {}", best.layer, best.head),
            format!("Layer {}, head {}", best.layer, best.head),
        ))
        .draw()?
        .show()?;
    // ANCHOR_END: pair

    // ANCHOR: pair_top_keys
    for (token, row) in pair.tokens.iter().zip(translator.rows()) {
        let to = argmax(&row.to_owned());
        println!("{token:>8} → {:<8}  {:.2}", pair.tokens[to], row[to]);
    }
    // ANCHOR_END: pair_top_keys

    // ANCHOR: through
    let through: Array2<f64> = outputs.rollout()?; // [n, n]
    let last: usize = outputs.layers() - 1;
    HeatmapGrid::of([
        Heatmap::new(&outputs.mean_heads(0)?)
            .title(("camada 0, média", "layer 0, mean")),
        Heatmap::new(&outputs.mean_heads(last)?)
            .title((format!("camada {last}, média"), format!("layer {last}, mean"))),
        Heatmap::new(&through).title("rollout"),
    ])
    .row_labels(&outputs.tokens)
    .column_labels(&outputs.tokens)
    .columns(2)
    .title(("A atenção através das camadas", "Attention through the layers"))
    .draw()?
    .show()?;
    // ANCHOR_END: through

    // ANCHOR: own_share
    println!(
        "each row adds up to 1: {}",
        (through.sum_axis(Axis(1)) - 1.0).abs().sum() < 1e-6
    );
    let columns: Array1<f64> = through.mean_axis(Axis(0)).ok_or("no tokens")?;
    println!("           itself   in all");
    for (i, token) in outputs.tokens.iter().enumerate() {
        println!("{token:>8}   {:.4}   {:.4}", through[[i, i]], columns[i]);
    }
    // ANCHOR_END: own_share

    // ANCHOR: influence
    let masked: MaskedModel = MaskedModel::load(&folder)?;
    let one: Influence = masked.influence("O gato dormiu na cama.", 5)?;
    println!("O gato dormiu na [MASK]. → {} ({:.2})\n", one.guess, one.probability);
    println!("         attention  change");
    for (i, token) in one.tokens.iter().enumerate() {
        println!("{token:>8}   {:.4}    {:.4}", one.attention()[i], one.change[i]);
    }
    // ANCHOR_END: influence

    // ANCHOR: influences
    let mut influences: Vec<Influence> = Vec::new();
    for sentence in sentences.iter().step_by(4) {
        let n = model.tokenizer.encode(sentence, None, Truncate::Error)?.len();
        influences.push(masked.influence(sentence, n - 3)?); // the last word
    }
    println!("{} sentences", influences.len());
    // ANCHOR_END: influences

    // ANCHOR: agreement
    fn agreement(
        name: &str,
        influences: &[Influence],
        of: fn(&Influence) -> (Array1<f64>, Array1<f64>),
    ) {
        let (count, mut rho, mut same, mut blind) =
            (influences.len() as f64, 0.0, 0.0, 0.0);
        for one in influences {
            let (attention, change) = of(one);
            rho += rank_correlation(&attention.to_vec(), &change.to_vec()) / count;
            same += f64::from(argmax(&attention) == argmax(&change)) / count;
            blind += 1.0 / attention.len() as f64 / count;
        }
        println!("{name:<22}   {rho:5.2}      {same:.2}       {blind:.2}");
    }
    println!("                         mean ρ   same first   blindly");
    agreement("all tokens", &influences, |one| (one.attention(), one.change.clone()));
    agreement("words", &influences, |one| {
        (words(&one.attention()), words(&one.change))
    });
    agreement("words, by rollout", &influences, |one| {
        (words(&one.rollout), words(&one.change))
    });
    // ANCHOR_END: agreement

    // ANCHOR: each_head
    let mut each: Array2<f64> = Array2::zeros(entropy.dim()); // [layers, heads]
    for one in &influences {
        let change: Vec<f64> = words(&one.change).to_vec();
        for (at, rho) in each.indexed_iter_mut() {
            let row: Array1<f64> =
                one.heads.index_axis(Axis(0), at.0).row(at.1).to_owned();
            let row: Vec<f64> = words(&row).to_vec();
            *rho += rank_correlation(&row, &change) / influences.len() as f64;
        }
    }
    let least: f64 = each.fold(1.0_f64, |a, &b| a.min(b));
    println!("from {least:.2} to {:.2}", top(&each, 1)[0].1);
    println!("below 0.5: {} heads", each.iter().filter(|&&rho| rho < 0.5).count());
    Heatmap::new(&each)
        .diverging()
        .row_title(("camada", "layer"))
        .column_title("head")
        .range(-1.0, 1.0)
        .annotate(false)
        .title((
            "Correlação de postos entre atenção e mudança",
            "Rank correlation of attention and change",
        ))
        .draw()?
        .show()?;
    // ANCHOR_END: each_head

    Ok(())
}
