"""Writes the sample's sentences from templates: `python3 make.py`, in this folder.

All of them were made for this book; none is from a corpus.
"""

from itertools import product
from random import Random

random = Random(7)

# English, Portuguese, gender
ANIMALS = [("cat", "gato", "m"), ("dog", "cachorro", "m"), ("bird", "pássaro", "m"),
           ("horse", "cavalo", "m"), ("cow", "vaca", "f"), ("duck", "pato", "m")]
PEOPLE = [("boy", "menino", "m"), ("girl", "menina", "f"), ("man", "homem", "m"),
          ("woman", "mulher", "f"), ("teacher", "professora", "f")]
VERBS = [("sat", "sentou"), ("slept", "dormiu"), ("ran", "correu"), ("sang", "cantou"),
         ("stopped", "parou")]
PLACES = [("on the rug", "no tapete"), ("on the mat", "no tapete"),
          ("in the garden", "no jardim"), ("in the house", "na casa"),
          ("on the street", "na rua"), ("on the beach", "na praia"),
          ("in the kitchen", "na cozinha"), ("in the park", "no parque")]
THINGS = [("book", "livro", "m"), ("bread", "pão", "m"), ("door", "porta", "f"),
          ("table", "mesa", "f"), ("window", "janela", "f"), ("car", "carro", "m"),
          ("letter", "carta", "f"), ("milk", "leite", "m")]
ACTIONS = [("saw", "viu"), ("bought", "comprou"), ("wants", "quer"), ("sold", "vendeu")]
ADJECTIVES = [("small", "pequeno", "pequena"), ("new", "novo", "nova"),
              ("white", "branco", "branca"), ("old", "velho", "velha"),
              ("beautiful", "bonito", "bonita")]


def the(noun):
    return {"m": "o", "f": "a"}[noun[2]] + " " + noun[1]


def agree(adjective, noun):
    return adjective[1 if noun[2] == "m" else 2]


def capital(text):
    return text[0].upper() + text[1:] + "."


pairs = []
for noun, verb, place in product(ANIMALS + PEOPLE, VERBS, PLACES):
    pairs.append((f"the {noun[0]} {verb[0]} {place[0]}",
                  f"{the(noun)} {verb[1]} {place[1]}"))
for person, action, thing in product(PEOPLE, ACTIONS, THINGS):
    pairs.append((f"the {person[0]} {action[0]} the {thing[0]}",
                  f"{the(person)} {action[1]} {the(thing)}"))
for noun, adjective in product(ANIMALS + THINGS, ADJECTIVES):
    pairs.append((f"the {noun[0]} is {adjective[0]}",
                  f"{the(noun)} é {agree(adjective, noun)}"))
random.shuffle(pairs)
pairs = [(capital(en), capital(pt)) for en, pt in pairs]
everyday, rest = pairs[:200], pairs[200:]

PRAISE = ["wonderful", "moving", "funny", "warm", "clever", "brilliant"]
BLAME = ["dull", "clumsy", "tired", "cold", "silly", "awful"]
NOUNS = ["story", "cast", "script", "comedy", "ending"]
reviews = []
for good, bad, noun in zip(PRAISE * 5, BLAME * 5, NOUNS * 6):
    reviews.append((1, f"a {good} {noun} that stays with you from start to finish ."))
    reviews.append((0, f"a {bad} {noun} that nobody needed , least of all this one ."))
random.shuffle(reviews)

with open("tatoeba.en-pt.tsv", "w") as file:
    file.writelines(f"{en}\t{pt}\n" for en, pt in everyday)
with open("pt.txt", "w") as file:
    file.writelines(f"{pt}\n" for _, pt in rest[:200])
with open("en.txt", "w") as file:
    file.writelines(f"{en}\n" for en, _ in rest[200:350])
    file.writelines(f"{text}\n" for _, text in reviews)
with open("sentiment.tsv", "w") as file:
    file.write("label\tsentence\n")
    file.writelines(f"{label}\t{text}\n" for label, text in reviews)
