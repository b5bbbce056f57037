# The commands of petlab. Every step says what it does and how long it takes; a second call does
# only what is missing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test study reproduce petlab build wheel install uninstall setup format format-check tidy sanitize fuzz pretrain bench bench-decode bench-store bench-growth clean

SETUP := harness/setup
PETLAB := build/bin/petlab
STORE := results/demo.sqlite
STUDY := harness/protocols/demo.ini

help: ## Show the commands
	@echo "petlab: benchmark harness for parameter-efficient transfer learning of CLIP"
	@echo
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## From a clean clone to the table: set-up, data, study (3 seeds), report; about 20 minutes on 2 cores, and the download of LibTorch
	@$(SETUP)/system_packages.sh
	@$(SETUP)/build.sh petlab $$($(SETUP)/plugins_of.sh $(STUDY))
	@$(SETUP)/icon_home.sh
	@$(SETUP)/study.sh $(STUDY) $(STORE) reports/out/demo

test: setup ## Set up, build and run all tests at each CPU level; about an hour the first time on 2 cores
	@$(SETUP)/system_packages.sh tests
	@$(SETUP)/python_env.sh
	@$(SETUP)/python_env.sh $(SETUP)/requirements-wheel.txt
	@$(SETUP)/build.sh
	@package=$$($(SETUP)/icon_package.sh); PETLAB_ICON_PACKAGE="$$package" $(SETUP)/tests.sh

study: ## The demo's study with all 5 seeds; resumes from what the demo has done
	@$(SETUP)/system_packages.sh
	@$(SETUP)/build.sh petlab petlab_plugins
	@$(SETUP)/icon_home.sh
	@$(SETUP)/study.sh $(STUDY) $(STORE) reports/out/study --seeds 1,2,3,4,5

reproduce: ## The paper's tables on the embedded data set, 5 seeds, one page; more than an hour on 2 cores, goes on where it stopped
	@$(SETUP)/system_packages.sh
	@$(SETUP)/build.sh petlab petlab_plugins
	@$(SETUP)/icon_home.sh
	@$(PETLAB) reproduce all --on icon-home --store results/icon-home.sqlite --out reports/out/icon-home

petlab: ## Build the program and all plugins, without tests
	@$(SETUP)/system_packages.sh
	@$(SETUP)/build.sh petlab petlab_plugins

PREFIX ?= $(HOME)/.local
install: setup ## Install the program, the plugins and the SDK into PREFIX (~/.local)
	@$(SETUP)/build.sh petlab petlab_plugins petlab_shell_files
	@$(SETUP)/install.sh "$(PREFIX)"

uninstall: ## Remove what make install has put into PREFIX, and nothing else
	@$(SETUP)/install.sh --remove "$(PREFIX)"

wheel: petlab ## A Python wheel into build/wheel: pip install it beside torch 2.13, with no compiler
	@$(SETUP)/build.sh petlab_shell_files
	@$(SETUP)/python_env.sh $(SETUP)/requirements-wheel.txt
	@$(SETUP)/wheel.sh build/wheel

build: setup ## Build the program, the plugins and the tests into build/
	@$(SETUP)/build.sh

setup: ## Install what is missing: system packages, LibTorch
	@$(SETUP)/system_packages.sh
	@$(SETUP)/libtorch.sh >/dev/null

format: ## Format all sources
	@$(SETUP)/python_env.sh
	@$(SETUP)/format.sh

format-check: ## Say which sources are not formatted
	@$(SETUP)/python_env.sh
	@$(SETUP)/format.sh --check

tidy: ## Static analysis of all sources with clang-tidy; about an hour on 2 cores
	@$(SETUP)/system_packages.sh
	@$(SETUP)/python_env.sh
	@$(SETUP)/python_env.sh $(SETUP)/requirements-tidy.txt
	@$(SETUP)/tidy.sh

sanitize: setup ## Tests of the parts without LibTorch under address, leak, undefined-behaviour and thread sanitizers
	@$(SETUP)/sanitize.sh

SECONDS_EACH ?= 60
fuzz: setup ## Fuzz the readers of foreign files with libFuzzer, SECONDS_EACH=60 (needs clang)
	@$(SETUP)/fuzz.sh $(SECONDS_EACH)

MINUTES ?= 20
pretrain: ## Train a backbone like the embedded one anew, MINUTES=20 long; resumes from where it stopped
	@$(SETUP)/system_packages.sh
	@$(SETUP)/build.sh petlab
	@package=$$($(SETUP)/icon_package.sh); words=($$($(SETUP)/emoji_words.sh)); \
	runs=harness/pretrain/runs; out=$$runs/petlab-icon-clip-$(MINUTES)-minutes; \
	$(PETLAB) pretrain --package "$$package" --emojibase "$${words[0]}" --emojilib "$${words[1]}" \
	  --pictures $$runs --out "$$out" --minutes $(MINUTES) \
	  $$([ ! -e "$$out/training.safetensors" ] || echo --resume)

bench: ## petlab beside Python peers, ratios and goals; 25 to 50 minutes. QUICK=1: 10 to 20; WORKS="mmap vpt": some
	@$(SETUP)/system_packages.sh
	@$(SETUP)/python_env.sh
	@$(SETUP)/build.sh bench_step bench_study petlab petlab_plugins
	@$(SETUP)/icon_home.sh
	@.venv/bin/python tests/bench/bench.py $(if $(QUICK),--quick) $(WORKS)

CARD ?= harness/backbones/petlab-icon-clip
backbone-card: ## The numbers of a backbone's model card (CARD=folder) beside HOG: 5 seeds, 10 and 20 %; hours on 2 cores, goes on where it stopped
	@$(SETUP)/python_env.sh
	@$(SETUP)/build.sh petlab petlab_plugins
	@$(SETUP)/icon_home.sh
	@.venv/bin/python tests/bench/backbone_card.py --backbone "$(CARD)" --jobs 2 --out results/backbone_card.json
	@for share in 10 20; do \
	  $(SETUP)/study.sh harness/protocols/backbone_card.ini results/backbone_card.sqlite reports/out/backbone-card \
	    --backbone "$(CARD)" --train-fraction 0.$$share --set study.name=backbone-card-$$share; \
	done

bench-decode: ## Images per second: the image cache beside Pillow in a torch DataLoader; 2 minutes
	@$(SETUP)/python_env.sh
	@$(SETUP)/build.sh bench_decode
	@.venv/bin/python tests/bench/decode.py

bench-store: ## Seconds of the results store's operations with 10,000 runs; 2 minutes
	@$(SETUP)/python_env.sh
	@$(SETUP)/build.sh bench_store
	@build/bin/bench_store 10000

bench-growth: ## How cost grows with classes, tasks, prompts, layers, batch, runs, also of a study on a cluster: curves and their exponents; 10 minutes
	@$(SETUP)/python_env.sh
	@$(SETUP)/build.sh growth_steps growth_report growth_cluster petlab_plugins
	@.venv/bin/python tests/bench/growth.py

clean: ## Remove the build trees; says what it keeps and how much that takes
	@$(SETUP)/clean.sh
