import pytest

from adapters.llama import chat_template
from adapters.llama.chat_template import LONGEST_TEMPLATE, template_format
from adapters.llama.loading import ModelFacts
from bot.errors import ModelNotLoaded
from bot.prompt.format import PromptFormat
from bot.story.policy import Rating

CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'"
    " + message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + ' ' }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}"
    "{% else %}{% set rest = messages %}{% set system = false %}{% endif %}"
    "{% for message in rest %}{% if loop.index0 == 0 and system %}"
    "{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"
)
VICUNA = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ message.content + '\\n\\n' }}"
    "{% elif message.role == 'user' %}{{ 'USER: ' + message.content }}"
    "{% else %}{{ '\\nASSISTANT: ' + message.content + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\nASSISTANT:' }}{% endif %}"
)


def facts(template: str, begin: str = "<s>", end: str = "</s>") -> ModelFacts:
    return ModelFacts("Model", "llama", 4096, Rating.GENERAL, template, begin, end)


def spelled(fmt: PromptFormat) -> str:
    """A conversation in this format: a head, a post, a reply, another post, and a reply opened."""
    post = f"{fmt.player_before}P{fmt.player_after}"
    reply = f"{fmt.character_before}R{fmt.character_after}"
    return f"{fmt.system_before}H{fmt.system_after}{post}{reply}{post}{fmt.character_before}"


def refusal(template: str) -> str:
    with pytest.raises(ModelNotLoaded) as refused:
        template_format(facts(template))
    sentence = str(refused.value)
    assert "Set `format` to one of: limarp" in sentence
    return sentence


def test_chatml_is_cut_into_its_headers_and_endings() -> None:
    fmt = template_format(facts(CHATML, "", "<|im_end|>"))
    assert (fmt.system_before, fmt.system_after) == ("<|im_start|>system\n", "<|im_end|>\n")
    assert (fmt.player_before, fmt.player_after) == ("<|im_start|>user\n", "<|im_end|>\n")
    assert (fmt.character_before, fmt.character_after) == ("<|im_start|>assistant\n", "<|im_end|>\n")
    assert set(fmt.control_texts) == {"<|im_start|>", "<|im_end|>"}
    assert "<|im_end|>" in fmt.stop_texts


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (
            LLAMA_3,
            (
                "<|start_header_id|>system<|end_header_id|>\n\nH<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nP<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\nR<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\nP<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n"
            ),
        ),
        (MISTRAL, "[INST] H [/INST][INST] P [/INST]R</s> [INST] P [/INST]"),
        (
            GEMMA,
            (
                "<start_of_turn>user\nH<end_of_turn>\n<start_of_turn>user\nP<end_of_turn>\n"
                "<start_of_turn>model\nR<end_of_turn>\n<start_of_turn>user\nP<end_of_turn>\n<start_of_turn>model\n"
            ),
        ),
        (LLAMA_2, "[INST] H [/INST]<s>[INST] P [/INST]R </s><s>[INST] P [/INST]"),
        (VICUNA, "H\n\nUSER: P\nASSISTANT:R</s>\nUSER: P\nASSISTANT:"),
    ],
    ids=["llama 3", "mistral", "gemma", "llama 2", "vicuna"],
)
def test_a_story_in_the_format_looks_as_the_template_writes_it(template: str, wanted: str) -> None:
    assert spelled(template_format(facts(template))) == wanted


@pytest.mark.parametrize("template", [CHATML, LLAMA_3, MISTRAL, GEMMA, LLAMA_2, VICUNA])
def test_the_begin_token_is_left_to_the_engine_and_no_header_starts_with_a_line_break(template: str) -> None:
    fmt = template_format(facts(template))
    assert not fmt.system_before.startswith("<s>")
    for header in (fmt.player_before, fmt.character_before):
        assert not header.startswith("\n")
    assert fmt.header_starts
    assert all(start and "\n" not in start for start in fmt.header_starts)


def test_control_words_of_the_template_are_named_so_that_no_player_can_write_them() -> None:
    controls = template_format(facts(MISTRAL)).control_texts
    assert {"<s>", "</s>", "[INST]", "[/INST]"} <= set(controls)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "brings none"),
        ("   \n", "brings none"),
        ("x" * (LONGEST_TEMPLATE + 1), "more than"),
        ("{% for %}", "fails"),
        ("{{ raise_exception('not today') }}", "not today"),
        ("{{ messages[9].content }}", "fails"),
        ("no messages at all", "leaves out"),
        ("{% for m in messages | reverse %}{{ m.content }}{% endfor %}", "leaves out, repeats or reorders"),
        ("{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}", "leaves out, repeats or reorders"),
        ("{% for m in messages[-2:] %}{{ m.role + m.content }}{% endfor %}", "leaves out, repeats or reorders"),
        ("{{ 'x' * 100000 }}{% for m in messages %}{{ m.role + m.content }}{% endfor %}", "more than 20000 characters"),
        ("{{ 'x' * 10000000000 }}", "memory"),
    ],
    ids=lambda value: value[:40],
)
def test_a_template_that_cannot_serve_is_one_clear_sentence(template: str, reason: str) -> None:
    assert reason in refusal(template)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ messages.append(1) }}",
        "{{ raise_exception.__globals__['sys'].exit() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_a_template_cannot_reach_out_of_its_sandbox(attack: str) -> None:
    assert "rendering it fails" in refusal(attack)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'x' | center(9) * 10 }}{% for a in range(99999) %}{{ range(99999) | list | length }}{% endfor %}",
    ],
    ids=["loops", "lists"],
)
def test_a_template_without_end_is_stopped(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "SECONDS", 1.0)
    assert "not rendered within 1 seconds" in refusal(template)


def test_a_renderer_that_breaks_down_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "RENDERER", "/dev/null/no such file")
    assert "too much time or memory" in refusal(CHATML)
