"""The names of providers, against the lists that litellm and the instrumentations themselves publish."""

import pytest
from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues
from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import GenAiProviderNameValues, GenAiSystemValues
from opentelemetry.semconv_ai import GenAISystem

from flows.ingest.map import pricing
from flows.ingest.map.provider_names import _ALIASES, provider_name

PUBLISHED = {
    value.value
    for names in (OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues, GenAiProviderNameValues,
                  GenAiSystemValues, GenAISystem)
    for value in names
}  # fmt: skip
# Published names of what litellm does not know, or of a framework.
NOT_OF_LITELLM = {"aleph_alpha": "aleph_alpha", "langchain": None, "crewai": None}
# Names of litellm that mean another of its names: other interfaces of one provider.
MERGED = {
    "ai21_chat", "anthropic_text", "azure_text", "bedrock_mantle", "cohere_chat", "meta_llama", "ollama_chat",
    "sagemaker_chat", "text-completion-codestral", "text-completion-openai", "vertex_ai_beta", "watsonx_text",
}  # fmt: skip


@pytest.fixture(scope="module")
def of_litellm() -> set[str]:
    import litellm  # late, for it takes seconds to load

    return {str(getattr(name, "value", name)) for name in litellm.provider_list}


def test_every_name_of_litellms_is_itself_or_another_of_its_names(of_litellm: set[str]) -> None:
    frameworks = {"langgraph"}
    changed = {name for name in of_litellm if provider_name(name) != name}
    assert changed - frameworks == MERGED & of_litellm
    assert {provider_name(name) for name in MERGED} <= of_litellm


def test_every_name_that_others_have_means_one_of_litellms(of_litellm: set[str]) -> None:
    assert set(_ALIASES) <= of_litellm
    priced = {entry["litellm_provider"] for entry in pricing._table().values()}
    assert {provider_name(name) for name in priced} >= {"openai", "anthropic", "bedrock", "vertex_ai", "gemini"}


def test_every_name_that_an_instrumentation_publishes_is_known(of_litellm: set[str]) -> None:
    assert len(PUBLISHED) > 30
    unknown = {name for name in PUBLISHED if provider_name(name) not in of_litellm}
    assert {name: provider_name(name) for name in unknown - {"typesafe"}} == NOT_OF_LITELLM


@pytest.mark.parametrize(
    ("given", "provider"),
    [
        ("openai.chat", "openai"), ("openai.responses", "openai"), ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "gemini"), ("google.vertex.chat", "vertex_ai"), ("amazon-bedrock", "bedrock"),
        ("vertex.anthropic.messages", "vertex_ai"), ("azure-openai.chat", "azure"), ("azure.responses", "azure"),
        ("mistral.chat", "mistral"), ("xai.chat", "xai"), ("togetherai.chat", "together_ai"),
        ("gateway", "vercel_ai_gateway"),
        ("google-gla", "gemini"), ("google-vertex", "vertex_ai"), ("grok", "xai"), ("moonshotai", "moonshot"),
        ("google_genai", "gemini"), ("google_vertexai", "vertex_ai"), ("amazon_bedrock", "bedrock"),
        ("Azure OpenAI", "azure"), ("AwsBedrock", "bedrock"), ("OpenAI", "openai"), ("xAI", "xai"),
        ("HuggingFace", "huggingface"), ("IBM", "watsonx"), ("AWS", "bedrock"), ("bedrock-converse", "bedrock"),
        ("zhipuai", "zai"), ("oci_genai", "oci"), ("strands-agents", None), ("pydantic-ai", None), ("Langchain", None),
        ("microsoft.agent_framework", None), ("", None), (" ", None), (None, None), ("my-own", "my-own"),
    ],
)  # fmt: skip
def test_a_provider_has_one_name_however_a_client_writes_it(given: str | None, provider: str | None) -> None:
    assert provider_name(given) == provider
