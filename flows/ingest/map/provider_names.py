"""The names that logs give to providers, under those of litellm, by which prices are found.

Belongs here: names, and what is a provider's name at all. Spelled without case, spaces, dots, dashes and underscores,
for every client has its own habit of them.
"""

import re

# litellm's name: what others write for it. The names of litellm that mean the same provider are among them.
_ALIASES = {
    "ai21": "ai21_chat ai21_labs",
    "amazon_nova": "nova",
    "anthropic": "anthropic_text claude anthropic_messages",
    "azure": "azure.ai.openai az.ai.openai azure_openai azure_text azure_openai_responses microsoft.openai",
    "azure_ai": "azure.ai.inference az.ai.inference azure_ai_inference azure_inference azure_ai_foundry azure_foundry",
    "bedrock": (
        "aws.bedrock aws aws_bedrock amazon amazon_bedrock bedrock_converse bedrock_mantle bedrock_chat"
        " aws_bedrock_converse amazon_bedrock_converse bedrock_runtime"
    ),
    "cerebras": "cerebras_ai",
    "cloudflare": "workers_ai cloudflare_workers_ai",
    "codestral": "text_completion_codestral",
    "cohere": "cohere_chat cohere_v2",
    "dashscope": "qwen alibaba alibaba_cloud tongyi",
    "deepinfra": "deep_infra",
    "deepseek": "deepseek_ai deep_seek",
    "fireworks_ai": "fireworks",
    "friendliai": "friendli",
    "gemini": (
        "gcp.gemini gcp.gen_ai google google.generative_ai google_genai google_ai_studio google_gla google_ai"
        " google_generative_ai google_genai_ai gcp.vertex.agent gemini_api google_gemini"
    ),
    "github_copilot": "copilot",
    "gradient_ai": "gradient digitalocean",
    "groq": "groq_cloud",
    "huggingface": "hugging_face hf hugging_face_hub huggingface_hub",
    "hyperbolic": "hyperbolic_ai",
    "lambda_ai": "lambda lambdalabs",
    "meta": "meta_llama meta_ai llama_api",
    "minimax": "mini_max",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "nebius": "nebius_ai nebius_ai_studio nebius_token_factory",
    "novita": "novita_ai",
    "nvidia_nim": "nvidia nim",
    "oci": "oracle oci_genai oracle_cloud",
    "ollama": "ollama_chat",
    "openai": "text_completion_openai openai_responses openai_chat_completions open_ai",
    "openrouter": "open_router",
    "ovhcloud": "ovh ovhcloud_ai_endpoints",
    "perplexity": "perplexity_ai pplx",
    "replicate": "replicate_ai",
    "sagemaker": "sagemaker_chat aws.sagemaker amazon_sagemaker",
    "sambanova": "samba_nova sambanova_ai",
    "snowflake": "snowflake_cortex cortex",
    "together_ai": "together together_ai_chat",
    "v0": "vercel_v0",
    "vercel_ai_gateway": "vercel gateway ai_gateway vercel_gateway",
    "vertex_ai": (
        "gcp.vertex_ai google.vertex google_vertex google_vertex_ai vertexai google_vertexai vertex"
        " vertex_ai_beta vertex_anthropic google.vertex.anthropic google_anthropic_vertex anthropic_vertex"
        " vertex_ai_gemini google_cloud_vertex_ai"
    ),
    "volcengine": "volc_engine ark doubao",
    "wandb": "weights_and_biases",
    "watsonx": "ibm.watsonx.ai ibm watsonx_ai watsonx_text ibm_watsonx",
    "xai": "x_ai grok",
    "zai": "z_ai zhipu zhipuai zhipu_ai glm",
}
# Frameworks that give their own name where the conventions want the provider's.
_FRAMEWORKS = (
    "langchain langgraph strands_agents strands pydantic_ai llamaindex llama_index spring_ai crewai agno smolagents"
    " dspy haystack google_adk microsoft.agent_framework microsoft.agents semantic_kernel autogen openai_agents litellm"
    " vercel_ai_sdk logfire unknown _other"
)
# What Vercel's AI SDK writes behind a provider's name: which of its interfaces was called.
_INTERFACE = re.compile(r"\.(?:chat|responses|messages|completion|text)$")


def _bare(name: str) -> str:
    return re.sub(r"[\s._\-/]+", "", name.lower())


_NAMES = {_bare(name): provider for provider, names in _ALIASES.items() for name in (provider, *names.split())}
_NO_PROVIDERS = {_bare(name) for name in _FRAMEWORKS.split()}


def provider_name(given: str | None) -> str | None:
    """litellm's name of a provider, by any of its names; None for a framework's name, and for none.

    A name that is not known is itself in lower case.
    """
    if not given or not given.strip():
        return None
    name = _INTERFACE.sub("", given.strip().lower())
    if (bare := _bare(name)) in _NO_PROVIDERS:
        return None
    return "vertex_ai" if name.startswith("vertex_ai") else _NAMES.get(bare, name)
