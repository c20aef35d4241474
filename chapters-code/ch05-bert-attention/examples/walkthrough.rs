//! The cells of chapter 5, in order: `cargo run -p ch05-bert-attention --example
//! ch05-walkthrough`.
//!
//! The notebook defines anew what is there to be changed; here it comes from the crate.

// The imports serve the notebook's definitions too; the globs yield to them.
#![allow(unused_imports, clippy::items_after_statements)]
#![allow(clippy::too_many_lines, clippy::wildcard_imports)]

// ANCHOR: imports
use std::collections::BTreeMap;

use bert_attention::explanation::{argmax, words};
use bert_attention::likeness::Part;
use bert_attention::nouns::NOUNS;
use bert_attention::profile::{SHARES, shares_of_ends, top};
use bert_attention::sentences::*;
use bert_attention::statistics::{at_least, at_most, sign_test};
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
    fn panels(of: &Attentions) -> Result<Vec<Heatmap>, AttentionsError> {
        let mut panels = Vec::new();
        for layer in 0..of.layers() {
            for head in 0..of.heads()? {
                panels.push(Heatmap::new(&of.head(layer, head)?));
            }
        }
        Ok(panels)
    }
    HeatmapGrid::of(panels(&outputs)?)
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

    // ANCHOR: by_length
    /// The sentences of each number of tokens, `[CLS]` and `[SEP]` among them.
    fn by_length<'a>(
        model: &Pretrained,
        sentences: &[&'a str],
    ) -> Result<BTreeMap<usize, Vec<&'a str>>, AttentionsError> {
        let mut lengths: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for &sentence in sentences {
            let n = model.tokenizer.encode(sentence, None, Truncate::Error)?.len();
            lengths.entry(n).or_default().push(sentence);
        }
        Ok(lengths)
    }
    println!("tokens   sentences   [CLS] and [SEP]   by chance   times chance");
    for (n, group) in by_length(&model, &sentences)? {
        let profiles = Profiles::of(&model, &group)?;
        let share = profiles.map(HeadProfile::special).mean().unwrap_or(0.0);
        let chance = 2.0 / n as f64;
        println!(
            "{n:6} {:11} {share:17.2} {chance:11.2} {:14.1}",
            group.len(),
            share / chance
        );
    }
    // ANCHOR_END: by_length

    // ANCHOR: ends
    let ends: [f64; 2] = shares_of_ends(&model, &sentences)?;
    println!("first word {:.2}, period {:.2}", ends[0], ends[1]);
    // ANCHOR_END: ends

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
    (SHARES.iter().zip(&series))
        .fold(LineChart::new(), |chart, ((name, _), points)| {
            chart.series((in_portuguese(name), name), points)
        })
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
    println!("layer   entropy: least, mean, most   distance: mean");
    for (layer, (bits, far)) in
        entropy.rows().into_iter().zip(distance.rows()).enumerate()
    {
        let least = bits.fold(f64::MAX, |a, &b| a.min(b));
        let most = bits.fold(0.0_f64, |a, &b| a.max(b));
        let (bits, far) = (bits.mean().unwrap_or(0.0), far.mean().unwrap_or(0.0));
        println!("{layer:5} {least:14.2} {bits:6.2} {most:6.2} {far:16.2}");
    }
    let uniform: HeadProfile = profiles.uniform;
    println!("uniform {:19.2} {:23.2}", uniform.entropy, uniform.distance);
    // ANCHOR_END: spread

    // ANCHOR: specialized
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
    // ANCHOR_END: specialized

    // ANCHOR: positions
    let exchanged: Profiles = Profiles::of_shuffled(&model, &sentences)?;
    println!("          the words'   exchanged");
    for (name, measure, (layer, head)) in [
        ("previous", SHARES[3].1, (0, 7)),
        ("next", SHARES[4].1, (0, 9)),
        ("next", SHARES[4].1, (0, 0)),
    ] {
        let [own, others] =
            [&profiles, &exchanged].map(|of| measure(&of.heads[layer][head]));
        println!("{name:>8}  {layer}·{head} {own:6.3} {others:10.3}");
    }
    // ANCHOR_END: positions

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
    let seen: Choices = Choices::of(&model, TEXT)?;
    println!("blindly, in {:.1} of {heads} heads", heads as f64 * seen.blind());
    for (noun, verb) in [("gato", "sentou"), ("cachorro", "correu")] {
        let place = seen.find(verb).ok_or("split into pieces")?;
        for word in [noun, "no", "."] {
            let from = seen.find(word).ok_or("split into pieces")?;
            let count = seen.counts(from)[place];
            println!("{word:>8} → {verb}: first choice in {count} heads");
        }
    }
    // ANCHOR_END: in_the_sentence

    // ANCHOR: subjects
    println!("{}\n{}", subjects()[0].near, subjects()[0].far);
    println!("{}\n{}", english_subjects()[1].near, english_subjects()[1].far);
    let verbs: Verbs = Verbs::of(&model, &subjects())?;
    // ANCHOR_END: subjects

    // ANCHOR: verbs
    fn print_verbs(verbs: &Verbs) {
        let (near, far) = (&verbs.near, &verbs.far);
        println!("{} subjects       near                far", verbs.subjects);
        println!("blind             {:.2}                {:.2}", near.blind, far.blind);
        let heads = near.subject.map().len();
        print!("luckiest of {heads:<3}   {:.2}", near.luckiest);
        println!("                {:.2}", far.luckiest);
        for (name, tally) in [("near", &near.subject), ("far", &far.subject)] {
            println!("best when {name}");
            for (at, _) in top(&tally.map(), 3) {
                let head = format!("{}·{}", at.0, at.1);
                print!("{head:>15}   {:20}", near.subject.label(at));
                println!("{}", far.subject.label(at));
            }
        }
    }
    print_verbs(&verbs);
    // ANCHOR_END: verbs

    // ANCHOR: control
    fn print_control(verbs: &VerbChoices) {
        println!(
            "verb chosen by   its subject         other words         those between"
        );
        for (at, _) in top(&verbs.subject.map(), 3) {
            let head = format!("{}·{}", at.0, at.1);
            print!("{head:>14}   {:20}", verbs.subject.label(at));
            println!("{:20}{}", verbs.others.label(at), verbs.between.label(at));
        }
        let looks = [&verbs.subject, &verbs.others, &verbs.between].map(|t| t.looks);
        println!("{:>14}   {:<20}{:<20}{}", "looks", looks[0], looks[1], looks[2]);
    }
    println!("near\n");
    print_control(&verbs.near);
    println!("\nfar\n");
    print_control(&verbs.far);
    // ANCHOR_END: control

    // ANCHOR: two_clauses
    for i in [0, 24] {
        println!("{}", two_clauses()[i].text);
    }
    let halves: [Clauses; 2] = Clauses::halves(&model, &two_clauses())?;
    let both: Clauses = halves[0].clone().with(&halves[1]);
    fn print_clauses(both: &Clauses, also: Option<(usize, usize)>) {
        println!("\n{} clauses, blindly {:.2}", both.chances.len(), both.blind());
        println!(
            "        from the subject          from the noun             the rest"
        );
        println!("        own verb           other  own verb           other  own");
        let best = top(&both.subjects.own.map(), 4).into_iter().map(|(at, _)| at);
        for at in best.chain(also) {
            let head = format!("{}·{}", at.0, at.1);
            print!("{head:>6}");
            for looks in [&both.subjects, &both.nouns] {
                let other = looks.other.map()[at];
                print!("  {:18} {other:5.2}", looks.own.label(at));
            }
            println!("  {:.2}", both.words.own.map()[at]);
        }
    }
    print_clauses(&both, Some((8, 8)));
    // ANCHOR_END: two_clauses

    // ANCHOR: held_out
    fn print_held_out(halves: &[Clauses; 2]) {
        println!("judged in the other     own verb from   other verb from");
        println!(
            "half, chosen for        subject  noun   subject  noun   only one     p"
        );
        for (one, other) in [(0, 1), (1, 0)] {
            let (half, judge) = (&halves[one], &halves[other]);
            for (name, map) in
                [("verbs found", half.subjects.own.map()), ("its lead", half.lead())]
            {
                let (at, _) = top(&map, 1)[0];
                let only = [&judge.only_subject, &judge.only_noun];
                let [subject, noun] = only.map(|tally| tally.hits[at.0][at.1]);
                print!("{name:<16} {:<6}", format!("{}·{}", at.0, at.1));
                let (from_subject, from_noun) = (&judge.subjects, &judge.nouns);
                for [one, other] in [
                    [&from_subject.own, &from_noun.own],
                    [&from_subject.other, &from_noun.other],
                ] {
                    print!("    {:.2}  {:.2} ", one.map()[at], other.map()[at]);
                }
                println!(
                    "   {subject:2} and {noun:2}  {:.3}",
                    sign_test(subject, noun)
                );
            }
        }
    }
    print_held_out(&halves);
    // ANCHOR_END: held_out

    // ANCHOR: likeness
    let half: Vec<&str> = sentences.iter().step_by(2).copied().collect();
    let some: Vec<Attentions> = Attentions::of_all(&model, &half)?;
    let whole: Likeness = Likeness::of(&some, Part::Whole);
    println!("{} heads, {} sentences", whole.heads.nrows(), some.len());
    // ANCHOR_END: likeness

    // ANCHOR: likeness_table
    let words_only: Likeness = Likeness::of(&some, Part::Words);
    fn nearest(of: &Array2<f64>) -> Vec<f64> {
        Likeness::nearest(of).into_iter().map(|(_, likeness)| likeness).collect()
    }
    fn print_likeness(heads: [&Likeness; 2]) {
        let mean = |list: Vec<f64>| list.iter().sum::<f64>() / list.len() as f64;
        println!("two heads share        whole maps   words only");
        for (name, [all, words]) in [
            ("two heads", heads.map(|one| Likeness::mean(&one.heads))),
            ("words shuffled", heads.map(|one| Likeness::mean(&one.shuffled))),
            ("the nearest two", heads.map(|one| mean(nearest(&one.heads)))),
            ("itself, elsewhere", heads.map(|one| mean(one.elsewhere.diag().to_vec()))),
            ("nearest, elsewhere", heads.map(|one| mean(nearest(&one.elsewhere)))),
        ] {
            println!("{name:<20} {all:10.2} {words:12.2}");
        }
        let [all, words] = heads.map(|one| {
            let nearest = nearest(&one.elsewhere);
            let pairs = nearest.iter().zip(one.elsewhere.diag());
            pairs.filter(|(other, itself)| other >= itself).count()
        });
        println!("nearer than itself   {all:7} {words:12}");
        for least in [0.9, 0.8, 0.7, 0.6] {
            let [all, words] = heads.map(|one| one.groups(least));
            println!("groups of {least:.1} and more {all:4} {words:12}");
        }
    }
    print_likeness([&whole, &words_only]);
    // Layers began as copies of the layer 3 or 6 below (chapter 8).
    fn siblings(of: &Likeness) -> usize {
        let pairs = Likeness::nearest(&of.heads).into_iter().enumerate();
        pairs.filter(|(i, (j, _))| (i % 12, i / 12 % 3) == (j % 12, j / 12 % 3)).count()
    }
    println!(
        "nearest is a copy    {:7} {:12}",
        siblings(&whole),
        siblings(&words_only)
    );
    // ANCHOR_END: likeness_table

    // ANCHOR: robot
    const ROBOT: &str = "O robô pegou a bola porque ela era pesada.";
    let robot: Choices = Choices::of(&model, ROBOT)?;
    println!(
        "chosen     from porque    ela    era   (blindly {:.0})",
        144.0 * robot.blind()
    );
    for place in robot.words() {
        print!("{:>8}", robot.tokens[place]);
        for from in ["porque", "ela", "era"] {
            let from = robot.find(from).ok_or("split into pieces")?;
            print!("{:>10}", robot.counts(from)[place]);
        }
        println!();
    }
    // ANCHOR_END: robot

    // ANCHOR: robots
    println!("right  wrong  adjective");
    for (text, pronoun, right, wrong) in [
        (ROBOT, "ela", "bola", "robô"),
        ("A bola pegou o robô porque ela era pesada.", "ela", "bola", "robô"),
        ("O robô pegou a bola porque ele era pesado.", "ele", "robô", "bola"),
        ("A bola pegou o robô porque ele era pesado.", "ele", "robô", "bola"),
    ] {
        let seen = Choices::of(&model, text)?;
        let place = |word| seen.find(word).ok_or("split into pieces");
        let (counts, last) = (seen.counts(place(pronoun)?), seen.words().end - 2);
        let [right, wrong] = [counts[place(right)?], counts[place(wrong)?]];
        println!("{right:5} {wrong:6} {:10}   {text}", counts[last]);
    }
    // ANCHOR_END: robots

    // ANCHOR: pronouns
    let all: Vec<PronounSentence> = pronoun_sentences();
    println!("{}\n", all[0].text);
    let half: usize = all.len() / 2;
    let halves: [Pronouns; 2] =
        [Pronouns::of(&model, &all[..half])?, Pronouns::of(&model, &all[half..])?];
    let found: Pronouns = halves[0].clone().with(&halves[1]);
    println!("{} sentences, heads that choose", found.right.looks);
    for (name, tally) in [
        ("the right noun", &found.right),
        ("the wrong noun", &found.wrong),
        ("the adjective", &found.adjective),
        ("right, from beside", &found.beside),
    ] {
        println!("{name:<20} {:5.1} of {}", tally.map().sum(), tally.map().len());
    }
    for (half, judge) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
        let (at, _) = top(&(half.right.map() - half.wrong.map()), 1)[0];
        let [right, wrong] = [&judge.right, &judge.wrong].map(|t| t.hits[at.0][at.1]);
        print!("best head of one half {}·{}, in the other: ", at.0, at.1);
        println!("right {right}, wrong {wrong} of {}", judge.right.looks);
    }
    // ANCHOR_END: pronouns

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
    let (at, share): ((usize, usize), f64) = top(&minilm.map(SHARES[3].1), 1)[0];
    let still: f64 = measured.shuffled.heads[at.0][at.1].previous;
    println!("{}·{} previous {share:.3}, words exchanged {still:.3}\n", at.0, at.1);
    print_verbs(&measured.verbs);
    println!("\nfar\n");
    print_control(&measured.verbs.far);
    let both: Clauses = measured.clauses[0].clone().with(&measured.clauses[1]);
    print_clauses(&both, None);
    println!();
    print_held_out(&measured.clauses);
    // ANCHOR_END: minilm_claims

    // ANCHOR: translators
    fn english_first() -> Vec<(&'static str, &'static str)> {
        pairs().into_iter().map(|(portuguese, english)| (english, portuguese)).collect()
    }
    let nouns: Vec<NounPair> = find_nouns(&model.tokenizer, &english_first(), &NOUNS)?;
    let translators: Vec<TranslationHead> = translation_heads(&model.encoder, &nouns)?;
    println!("{} pairs of nouns, half of them with English first\n", nouns.len());
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
    print!("blindly");
    for blind in [NounPair::blind_from_english, NounPair::blind_from_portuguese] {
        let chances: Vec<[f64; 2]> = nouns.iter().map(blind).collect();
        let mean = |i: usize| {
            chances.iter().map(|of| of[i]).sum::<f64>() / chances.len() as f64
        };
        print!("  {:.2}   {:.2}      ", mean(0), mean(1));
    }
    println!();
    // ANCHOR_END: translators

    // ANCHOR: pair
    let best: TranslationHead = translators[0];
    let pair: Attentions = Attentions::of(
        &model,
        "O gato dormiu na cama.",
        Some("The cat slept on the bed."),
        Truncate::Error,
    )?;
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

    // ANCHOR: places
    let at: (usize, usize) = (best.layer, best.head);
    let looks: Vec<NounLook> = noun_looks(&model.encoder, &nouns, at)?;
    println!(
        "{}·{}, {} looks     English first  Portuguese first",
        at.0,
        at.1,
        looks.len()
    );
    for (name, moved) in [("same place", false), ("another place", true)] {
        print!("{name:<16}");
        for first in [true, false] {
            // The English noun looks from the first sentence where English is first.
            let part = looks.iter().zip(0..).filter(|(look, i)| {
                let from_english = i % 2 == 0;
                (look.first == from_english) == first
                    && (look.place != look.translation) == moved
            });
            let hits: Vec<bool> = part.map(|(look, _)| look.hit).collect();
            let right = hits.iter().filter(|&&hit| hit).count();
            print!("   {right:4} of {:3}    ", hits.len());
        }
        println!();
    }
    // ANCHOR_END: places

    // ANCHOR: sentence_ends
    println!("                                last word    elsewhere");
    for (order, first) in [("English first", true), ("Portuguese first", false)] {
        for (name, stop) in [("periods", true), ("none", false)] {
            let end = sentence_end(&model, &english_first(), at, first, stop)?;
            print!("{order:<17} {name:<10}   {:3} of {:3}", end.last, end.lasts);
            println!("   {:3} of {:3}", end.elsewhere, end.others);
        }
    }
    // ANCHOR_END: sentence_ends

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
        let (mut rho, mut same, mut chances) = (0.0, 0, Vec::new());
        for one in influences {
            let (attention, change) = of(one);
            rho += rank_correlation(&attention.to_vec(), &change.to_vec());
            same += usize::from(argmax(&attention) == argmax(&change));
            chances.push(1.0 / attention.len() as f64);
        }
        let (rho, blind) = (rho / chances.len() as f64, chances.iter().sum::<f64>());
        let (more, fewer) = (at_least(same, &chances), at_most(same, &chances));
        print!("{name:<18} {rho:6.2} {same:11} {blind:9.1}");
        println!("      {more:.4}       {fewer:.4}");
    }
    println!("                   mean ρ  same first   blindly  as many, more   fewer");
    agreement("all tokens", &influences, |one| (one.attention(), one.change.clone()));
    agreement("words", &influences, |one| {
        (words(&one.attention()), words(&one.change))
    });
    agreement("words, by rollout", &influences, |one| {
        (words(&one.rollout), words(&one.change))
    });
    /// The words in order of their distance from the hidden one, which stood before the
    /// period; `period` is how far away the period is taken to be.
    fn nearness(words: &Array1<f64>, period: usize) -> Array1<f64> {
        let last = words.len() - 1;
        let distance = |i: usize| if i < last { last - i } else { period };
        (0..words.len()).map(|i| -(distance(i) as f64)).collect()
    }
    agreement("words, the nearest", &influences, |one| {
        (nearness(&words(&one.change), 1), words(&one.change))
    });
    agreement("  the period last", &influences, |one| {
        (nearness(&words(&one.change), usize::MAX), words(&one.change))
    });
    // ANCHOR_END: agreement

    // ANCHOR: firsts
    let mut stops: usize = 0; // sentences where rollout's first word is the period
    for one in &influences {
        stops += usize::from(argmax(&words(&one.rollout)) + 3 == one.tokens.len());
    }
    println!("rollout's first word is the period in {stops}");
    for (name, list) in [
        ("missed", influences.iter().map(|one| words(&one.change)).collect::<Vec<_>>()),
        ("looked at", influences.iter().map(|one| words(&one.attention())).collect()),
    ] {
        // The hidden word is the last: what stands before it is the next to last.
        let before = list.iter().filter(|of| argmax(of) + 2 == of.len()).count();
        println!("the word before the hidden one is the most {name} in {before}");
    }
    // ANCHOR_END: firsts

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
