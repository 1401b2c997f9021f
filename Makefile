# The face of fargrade: `make grade week=1`. Each target makes the environment in .venv on first use.
# `fargrade …` (in .venv/bin) does the work, and tells failures apart: 1 failed, 2 wrong usage, 3 not judged.
# make itself says 2 for any of them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
# Where a machine's own AWS CLI serves: the confinement shows these folders, and no home's (a pyenv shim, say).
AWS_WHERE := /usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin
# A slip such as weeks=1 or Item=1.6 would be passed over, and the whole course graded.
OPTIONS := week item submission backend account region ceiling lang seed json confine containers args all submissions \
  out workers policy scheduler also resume unconfined student kind seeds malformed
SLIPS := a% b% c% d% e% f% g% h% i% j% k% l% m% n% o% p% q% r% s% t% u% v% w% x% y% z% Week% Item% WEEK% ITEM%
UNKNOWN := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),\
  $(filter-out $(OPTIONS),$(filter $(SLIPS),$(name))))))
ifneq ($(UNKNOWN),)
ifeq ($(or $(lang),$(FARGRADE_LANG)),ru)
$(error Нет такого параметра: $(UNKNOWN). Что есть, покажет make help)
endif
$(error There is no option $(UNKNOWN): make help shows what there is)
endif
quote = '$(subst ','\'',$(1))'
given = $(foreach name,$(1),$(if $($(name)),--$(name)=$(call quote,$($(name)))))

.PHONY: help grade table sweep watch hint learned batch replay doctor release package verify test fast bench fidelity docs lint types lock clean
.DEFAULT_GOAL := help

help:  ## What there is to do (lang=ru: in Russian)
ifeq ($(or $(lang),$(FARGRADE_LANG)),ru)
	@echo 'make grade week=1 lang=ru [item=1.6] [submission=ПАПКА] [seed=N] [json=ФАЙЛ] [args="-k tags -x"]     проверить'
	@echo 'make watch week=1 lang=ru      проверять заново то, что вы сохранили'
	@echo 'make hint item=1.6 lang=ru     следующая подсказка         make learned item=1.6 lang=ru   чему учит задание'
	@echo 'make batch submissions=ПАПКА out=ПАПКА lang=ru [resume=1]  проверить группу'
	@echo 'make replay out=ПАПКА student=ИМЯ [item=2.4]               одну из этих работ ещё раз'
	@echo 'make release out=ПАПКА         то, что получают учащиеся   make doctor lang=ru   что умеет эта машина'
	@echo 'make package kind=gradescope out=ФАЙЛ.zip                  make package kind=workflow out=.github/workflows/grade.yml'
	@echo 'make verify                    доказать, что проверки отличают верное от неверного'
	@echo 'make test                      тесты                       make bench            скорость, в долях'
	@echo 'Условие каждого задания — в exercises/weekN/NN_имя/README.ru.md. FARGRADE_LANG=ru заменяет lang=ru.'
else
	@echo 'make grade week=1 [item=1.6] [submission=DIR] [seed=N] [lang=en|ru] [json=FILE] [args="-k tags -x"]'
	@echo 'make watch week=1     grade again whatever you save'
	@echo 'make hint item=1.6    the next hint        make learned item=1.6   what the item taught'
	@echo 'make batch submissions=DIR out=DIR [resume=1]     grade a class'
	@echo 'make replay out=DIR student=NAME [item=2.4]       one of them again'
	@echo 'make release out=DIR  what learners get           make doctor             what this machine can do'
	@echo 'make package kind=gradescope out=FILE.zip          make package kind=workflow out=.github/workflows/grade.yml'
	@echo 'make verify           prove that every grader tells right from wrong'
	@echo 'make test             the tests            make bench              the speed, as ratios'
endif

$(READY): requirements/course.lock requirements/awscli.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'fargrade needs Python 3.11 or newer: name one with make PYTHON=python3.12 …'; exit 2; }
	@test -x $(BIN)/python || { echo 'Making the environment in $(VENV) …' && $(PYTHON) -m venv $(VENV); } || \
	  { echo 'Python has no venv module: install it (Debian: apt install python3-venv).'; exit 2; }
	@echo 'Installing what grading needs (boto3, moto, pytest and their like: about 55 MB to fetch) …'
	@$(PIP) install --require-hashes -r requirements/course.lock
	@PATH=$(AWS_WHERE) command -v aws >/dev/null || { echo 'Installing the AWS CLI, which this machine does not have (20 MB) …' && \
	  $(PIP) install --require-hashes -r requirements/awscli.lock; }
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@echo 'Ready.'
	@touch $@

$(READY_DEV): $(READY) requirements/dev.lock
	@echo 'Installing what the tests need …'
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

grade: $(READY)
	@$(BIN)/fargrade grade $(call given,week item submission backend account region ceiling lang seed json confine containers) $(if $(args),-- $(args))

watch: $(READY)
	@$(BIN)/fargrade watch $(call given,week item submission lang seed confine containers)

hint: $(READY)
	@$(BIN)/fargrade hint $(call given,item lang) $(if $(all),--all)

learned: $(READY)
	@$(BIN)/fargrade learned $(call given,item lang)

batch: $(READY)
	@$(BIN)/fargrade batch $(call given,submissions out week item workers seed policy scheduler also lang containers) \
	  $(if $(resume),--resume) $(if $(unconfined),--unconfined)

replay: $(READY)
	@$(BIN)/fargrade $(if $(out),replay $(call given,out student item),\
	  grade $(call given,submission week item seed lang confine))

table: $(READY)  ## Write the table of items and backends into the docs
	@$(BIN)/fargrade table --write

sweep: $(READY)
	@$(BIN)/fargrade sweep

doctor: $(READY)
	@$(BIN)/fargrade doctor $(call given,lang)

release: $(READY)
	@$(BIN)/fargrade release $(call given,out lang)

package: $(READY)  ## make package kind=gradescope out=autograder.zip
	@$(BIN)/fargrade package $(kind) $(call given,out week item lang)

verify: $(READY)
	@$(BIN)/fargrade verify $(call given,week item seed seeds containers malformed)

test: $(if $(wildcard tests/.),$(READY_DEV))
	@test -d tests || { echo 'There are no tests here: this is what learners get.'; exit 2; }
	@$(BIN)/python -m pytest $(args)

fast: $(READY_DEV)  ## The tests that need nothing but Python
	@$(BIN)/python -m pytest -m 'not bubblewrap and not browser and not docker and not newcomer' $(args)

bench: $(READY_DEV)
	@$(BIN)/python -m benchmarks.bench $(args)

fidelity: $(READY_DEV)  ## Write docs/fidelity.md from the probe table
	@$(BIN)/python -m tests.fidelity

docs: fidelity  ## Write what README.md shows: the transcript and the syllabus
	@$(BIN)/python -m tests.readme

lint: $(READY_DEV)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY_DEV)
	@$(BIN)/mypy

lock:  ## Write the lock files anew: needs uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra tools --extra containers --extra build -o requirements/course.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra awscli --extra tools --extra containers --extra build -c requirements/course.lock -o requirements/awscli.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev --extra dask --extra tools --extra containers --extra build -c requirements/course.lock -o requirements/dev.lock pyproject.toml

clean:
	rm -rf $(VENV) reports .pytest_cache .mypy_cache .ruff_cache .hypothesis
