-- litellm's records, StandardLoggingPayload or row of LiteLLM_SpendLogs: every field that is read, in one parse.
create or replace temp macro litellm_log(j) as (
    from_json(
        j,
        '{
            "id": "VARCHAR", "request_id": "VARCHAR", "litellm_call_id": "VARCHAR", "trace_id": "VARCHAR",
            "session_id": "VARCHAR", "call_type": "VARCHAR", "stream": "VARCHAR", "status": "VARCHAR",
            "end_user": "VARCHAR", "user": "VARCHAR", "custom_llm_provider": "VARCHAR", "model": "VARCHAR",
            "model_group": "VARCHAR", "startTime": "VARCHAR", "endTime": "VARCHAR",
            "completionStartTime": "VARCHAR", "response_time": "VARCHAR", "request_duration_ms": "VARCHAR",
            "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR", "response_cost": "VARCHAR",
            "spend": "VARCHAR", "cache_hit": "VARCHAR", "request_tags": "JSON", "messages": "JSON",
            "proxy_server_request": "JSON", "model_parameters": "JSON", "error_str": "VARCHAR",
            "error_information": {"error_class": "VARCHAR", "error_message": "VARCHAR"},
            "response_cost_failure_debug_info": {"model": "VARCHAR"}, "zero_cost_diagnostic": {"reason": "VARCHAR"},
            "model_map_information": {"model_map_value": {"key": "VARCHAR"}},
            "hidden_params": {
                "litellm_model_name": "VARCHAR",
                "usage_object": {
                    "cache_read_input_tokens": "VARCHAR", "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            },
            "response": {
                "model": "VARCHAR", "system_fingerprint": "VARCHAR",
                "choices": [{"finish_reason": "VARCHAR", "message": "JSON", "text": "VARCHAR"}],
                "usage": {
                    "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
                    "cache_read_input_tokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            },
            "metadata": {
                "status": "VARCHAR", "is_silent_experiment": "VARCHAR",
                "user_api_key_end_user_id": "VARCHAR", "user_api_key_user_id": "VARCHAR",
                "error_information": {"error_class": "VARCHAR", "error_message": "VARCHAR"},
                "model_map_information": {"model_map_value": {"key": "VARCHAR"}},
                "prompt_management_metadata": {"prompt_id": "VARCHAR", "prompt_version": "VARCHAR"},
                "requester_metadata": {
                    "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR", "session_id": "VARCHAR",
                    "prompt_name": "VARCHAR", "prompt_version": "VARCHAR", "generation_name": "VARCHAR",
                    "trace_name": "VARCHAR", "trace_release": "VARCHAR", "trace_user_id": "VARCHAR",
                    "user_id": "VARCHAR"
                },
                "spend_logs_metadata": {
                    "route": "VARCHAR", "environment": "VARCHAR", "release": "VARCHAR", "session_id": "VARCHAR",
                    "prompt_name": "VARCHAR", "prompt_version": "VARCHAR"
                },
                "additional_usage_values": {
                    "cache_read_input_tokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                },
                "usage_object": {
                    "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
                    "cache_read_input_tokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
                    "prompt_tokens_details": {"cached_tokens": "VARCHAR"},
                    "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}
                }
            }
        }'
    )
);

-- Of litellm's fields those that hold JSON, as JSON where they came as texts.
create or replace temp macro untexted_fields(j) as (
    json_object(
        'metadata', plain_json(json_extract(j, '$.metadata')),
        'response', plain_json(json_extract(j, '$.response')),
        'hidden_params', plain_json(json_extract(j, '$.hidden_params')),
        'model_parameters', plain_json(json_extract(j, '$.model_parameters')),
        'model_map_information', plain_json(json_extract(j, '$.model_map_information')),
        'error_information', plain_json(json_extract(j, '$.error_information'))
    )
);
