"""Reserved concurrency: unset is not zero, and the floor holds."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

WEBHOOK = "hcg-demo-webhook-handler"
SUPERVISOR = "hcg-demo-supervisor-agent"


def reserved(client, name):
    return client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")


def test_an_unset_reservation_has_no_value(hcg):
    client = hcg.client("lambda")
    assert reserved(client, WEBHOOK) is None
    assert reserved(client, SUPERVISOR) == 40


def test_put_get_and_delete_agree_and_zero_is_kept(hcg):
    client = hcg.client("lambda")
    for n in (100, 0):
        client.put_function_concurrency(FunctionName=WEBHOOK, ReservedConcurrentExecutions=n)
        assert reserved(client, WEBHOOK) == n
        concurrency = client.get_function(FunctionName=WEBHOOK)["Concurrency"]
        assert concurrency == {"ReservedConcurrentExecutions": n}
    client.delete_function_concurrency(FunctionName=WEBHOOK)
    assert reserved(client, WEBHOOK) is None
    assert "Concurrency" not in client.get_function(FunctionName=WEBHOOK)


def test_the_unreserved_floor_is_refused_with_the_floor_in_brackets(hcg):
    client = hcg.client("lambda")
    with pytest.raises(ClientError) as refused:
        client.put_function_concurrency(FunctionName=WEBHOOK, ReservedConcurrentExecutions=891)
    error = refused.value.response
    assert error["Error"]["Code"] == "InvalidParameterValueException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "[100]" in error["Error"]["Message"]
    client.put_function_concurrency(FunctionName=WEBHOOK, ReservedConcurrentExecutions=860)


def test_account_settings_count_reservations(hcg):
    limit = hcg.client("lambda").get_account_settings()["AccountLimit"]
    assert limit["ConcurrentExecutions"] == 1000
    assert limit["UnreservedConcurrentExecutions"] == 960


def test_an_unknown_function_is_not_found(hcg):
    with pytest.raises(ClientError) as refused:
        hcg.client("lambda").get_function_concurrency(FunctionName="nobody")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_functions_have_the_configuration_of_the_guide(hcg):
    client = hcg.client("lambda")
    found = {
        f["FunctionName"]: (f["Timeout"], f["MemorySize"])
        for f in client.list_functions()["Functions"]
    }
    assert found == {
        WEBHOOK: (60, 512),
        SUPERVISOR: (60, 512),
        "hcg-demo-servicenow-action": (30, 256),
    }
    configuration = client.get_function_configuration(FunctionName=WEBHOOK)
    assert configuration["Timeout"] == 60


def test_a_name_may_be_an_arn(hcg):
    client = hcg.client("lambda")
    arn = client.get_function_configuration(FunctionName=SUPERVISOR)["FunctionArn"]
    assert reserved(client, arn) == 40
