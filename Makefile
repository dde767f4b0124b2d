# The two commands of the README. Each installs what it needs (Debian) and does the job.
#
#   make run     starts the gateway with dialplan.toml
#   make test    all that must pass before a change goes in
#   make bench   how long the pieces take (benches/README.md)
#   make counts  how many instructions they take, compared with benches/counts.baseline; part of `make test`
#   make hear    has the prompts heard by a recogniser (fetches 300 MB)
#   make bad-line  how callers on bad lines are heard (fetches 300 MB)
#   make bad-line-janus  the same through Janus
#   make words   that words on bad lines are understood (fetches 200 MB)
#   make talk-off  that hours of speech and music hold no keys (fetches 100 MB)
#   make voice   installs the natural voice in var/voice (fetches 120 MB, keeps 160 MB)
#   make settings  writes docs/settings.md anew, after a change of the dialplan's settings
#   make load    the load table (benches/README.md), with the load generator beside the checkout

# Debian packages, each with a command it brings: installed when the command is missing.
BUILD_TOOLS := build-essential:cc pkg-config:pkg-config cmake:cmake
TEST_TOOLS  := $(BUILD_TOOLS) npm:npm chromium:chromium chromium-driver:chromedriver sip-tester:sipp baresip-core:baresip linphone-cli:linphonec sipsak:sipsak kamailio:kamailio \
               kamailio-tls-modules:/usr/lib/*/kamailio/modules/tls.so libbcg729-0:/usr/lib/*/libbcg729.so.0 coturn:turnserver pebble:pebble \
               postgresql:/usr/lib/postgresql/*/bin/postgres

# Beside what cargo builds, where the tests look for them: a scanner to be attacked with, a client that asks the HTTP API
# whatever its description allows, WebRTC that is neither ours nor a browser's.
PYTHON_TOOLS := --python $(or $(CARGO_TARGET_DIR),target)/python sipvicious==0.3.8:sipvicious_svwar \
                --python $(or $(CARGO_TARGET_DIR),target)/schemathesis schemathesis==4.32.5:schemathesis \
                --python $(or $(CARGO_TARGET_DIR),target)/aiortc aiortc==1.16.0:python \
                --python $(or $(CARGO_TARGET_DIR),target)/websockets websockets==15.0.1:python

CONFIG ?= dialplan.toml

LOAD_TOOLS  := $(BUILD_TOOLS) python3:python3 procps:pkill util-linux:taskset
COUNT_TOOLS := $(BUILD_TOOLS) valgrind:valgrind

.PHONY: run voice hear bad-line bad-line-janus bad-line-judges words talk-off test load format lint docs units bench counts counts-accept counts-annotate settings

run:
	@.ci/need $(BUILD_TOOLS) npm:npm
	@.ci/web $(or $(CARGO_TARGET_DIR),target)/web
	cargo run --locked --release -- run --config $(CONFIG)

voice:
	@.ci/need $(BUILD_TOOLS) libssl-dev:/usr/include/openssl/ssl.h python3:python3 npm:npm espeak-ng:espeak-ng
	@voice/install $(or $(VOICE),var/voice)

# All languages, or LANGUAGES.
HEARING := $(or $(CARGO_TARGET_DIR),target)/hearing

hear:
	@.ci/need python3:python3 python3-venv:/usr/lib/python3*/ensurepip
	@python3 -m venv $(HEARING)
	@$(HEARING)/bin/pip install -q --disable-pip-version-check -r benches/hear_prompts.txt
	@$(HEARING)/bin/python benches/hear_prompts.py prompts $(LANGUAGES)

# Five people by Debian's recordings, and four voices of ours.
JUDGES := $(or $(CARGO_TARGET_DIR),target)/judges
VOICES := /usr/share/asterisk/sounds
SPOKEN := asterisk-core-sounds-en-wav:$(VOICES)/en_US_f_Allison asterisk-core-sounds-es-wav:$(VOICES)/es_MX_f_Allison \
          asterisk-core-sounds-fr-wav:$(VOICES)/fr_CA_f_June asterisk-core-sounds-it-wav:$(VOICES)/it_IT_m_Carlo \
          asterisk-core-sounds-ru-wav:$(VOICES)/ru_RU_f_IvrvoiceRU

CLIPS := $(foreach spoken,$(SPOKEN),--clips $(lastword $(subst :, ,$(spoken)))) \
         $(foreach language,en-GB en-US es-ES fr-FR,--clips prompts/$(language))
BAD_LINE := $(or $(CARGO_TARGET_DIR),target)/counts/examples/bad_line
JUDGE := $(JUDGES)/bin/python benches/bad_line.py

bad-line: bad-line-judges
	@$(JUDGE) $(BAD_LINE) $(CLIPS)

bad-line-judges:
	@.ci/need $(BUILD_TOOLS) $(SPOKEN) python3:python3 python3-venv:/usr/lib/python3*/ensurepip
	@python3 -m venv $(JUDGES)
	@$(JUDGES)/bin/pip install -q --disable-pip-version-check -r benches/bad_line.txt
	cargo build --locked --profile counts --example bad_line

# The same through Janus, in real time: nine calls at once.
bad-line-janus: bad-line-judges
	@.ci/need janus:janus
	BAD_LINE=$(BAD_LINE) $(JUDGE) benches/bad_line_janus.py --codecs pcmu,opus --seeds 1 --workers 9 $(CLIPS)

words:
	@.ci/need $(BUILD_TOOLS) $(firstword $(SPOKEN)) asterisk-core-sounds-en:/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz python3:python3 python3-venv:/usr/lib/python3*/ensurepip
	@python3 -m venv $(HEARING)
	@$(HEARING)/bin/pip install -q --disable-pip-version-check -r benches/hear_words.txt
	cargo build --locked --profile counts --example bad_line
	@$(HEARING)/bin/python benches/hear_words.py $(or $(CARGO_TARGET_DIR),target)/counts/examples/bad_line $(lastword $(subst :, ,$(firstword $(SPOKEN))))

talk-off:
	@.ci/need $(BUILD_TOOLS) $(SPOKEN)
	SPEECH=$$(echo $(foreach spoken,$(SPOKEN),$(lastword $(subst :, ,$(spoken)))) | tr ' ' :) \
		cargo test --locked --release --test all -- --ignored --nocapture talk_off

# One after the other, the quick ones first, whatever -j says.
test:
	@.ci/need --components rustfmt,clippy $(PYTHON_TOOLS) $(TEST_TOOLS) $(COUNT_TOOLS)
	@.ci/browser $(or $(CARGO_TARGET_DIR),target)/browser
	@.ci/web --test $(or $(CARGO_TARGET_DIR),target)/web
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory docs
	@$(MAKE) --no-print-directory units
	@$(MAKE) --no-print-directory counts

format:
	cargo fmt --all --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Unit, simulation, layering, loopback (sipp, baresip, linphonec, Kamailio, sipsak, SIPVicious, PostgreSQL, coturn, Pebble, Chromium) and corpus tests, and the examples in the documentation.
# More threads than cores: loopback tests mostly wait for timers of the RFCs.
units:
	cargo test --locked -- --test-threads=8

settings:
	WRITE_SETTINGS=1 cargo test --locked --lib -q -- dialplan::reference

# Time: all, or what WORK names (`make bench WORK=engine`).
bench:
	@.ci/need $(BUILD_TOOLS)
	cargo bench --locked --profile counts --bench micro -- $(WORK)

# Instructions under valgrind: what must not creep. `counts-accept` writes the baseline anew, `counts-annotate
# WORK=sip/parse/invite` says which functions take them.
COUNT := cargo bench --locked --profile counts --bench counts --

counts:
	@.ci/need $(COUNT_TOOLS)
	$(COUNT)

counts-accept:
	@.ci/need $(COUNT_TOOLS)
	$(COUNT) --accept

counts-annotate:
	@.ci/need $(COUNT_TOOLS)
	$(COUNT) --annotate $(WORK)

load:
	@.ci/need $(LOAD_TOOLS)
	@benches/load.sh
