"""Throughput: states, echoes, refusals and the budget of decreases."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from conftest import eventually

TABLE = "hcg-demo-conversations"


def units(read, write):
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index_update(read, write):
    return [{"Update": {"IndexName": "by-user", "ProvisionedThroughput": units(read, write)}}]


def describe(client):
    return client.describe_table(TableName=TABLE)["Table"]


def described_units(owner):
    throughput = owner["ProvisionedThroughput"]
    return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]


def settle(client):
    def active():
        table = describe(client)
        statuses = {i["IndexStatus"] for i in table.get("GlobalSecondaryIndexes", [])}
        return table["TableStatus"] == "ACTIVE" and statuses <= {"ACTIVE"} and table

    return eventually(active)


def refused(call, **params):
    with pytest.raises(ClientError) as problem:
        call(**params)
    return problem.value.response["Error"]


def test_a_change_echoes_old_values_and_takes_effect_later(hcg):
    client = hcg.client("dynamodb")
    echo = client.update_table(TableName=TABLE, ProvisionedThroughput=units(20, 30))
    assert echo["TableDescription"]["TableStatus"] == "UPDATING"
    assert described_units(echo["TableDescription"]) == (5, 5)
    assert described_units(settle(client)) == (20, 30)
    assert hcg.control("GET", "settings")["tables"][TABLE]["write"] == 30


def test_updating_refuses_another_change(process):
    # At the pace of AWS, so that the change is surely still in flight.
    process.reset("hcg-demo", pace=1)
    client = process.client("dynamodb")
    client.update_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST")
    error = refused(client.update_table, TableName=TABLE, ProvisionedThroughput=units(9, 9))
    assert error["Code"] == "ResourceInUseException"
    settle(client)


def test_the_same_values_are_refused(hcg):
    client = hcg.client("dynamodb")
    error = refused(client.update_table, TableName=TABLE, ProvisionedThroughput=units(5, 5))
    assert error["Code"] == "ValidationException"
    assert "will not change" in error["Message"]


def test_an_index_change_flips_only_the_index(hcg):
    client = hcg.client("dynamodb")
    echo = client.update_table(TableName=TABLE, GlobalSecondaryIndexUpdates=index_update(8, 8))
    table = echo["TableDescription"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "UPDATING"
    table = settle(client)
    assert described_units(table["GlobalSecondaryIndexes"][0]) == (8, 8)


def test_billing_mode_summary_is_absent_until_the_table_was_on_demand(hcg):
    client = hcg.client("dynamodb")
    assert "BillingModeSummary" not in describe(client)
    client.update_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST")
    table = settle(client)
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described_units(table) == (0, 0)
    error = refused(client.update_table, TableName=TABLE, ProvisionedThroughput=units(6, 6))
    assert error["Code"] == "ValidationException"
    error = refused(
        client.update_table,
        TableName=TABLE,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units(5, 5),
    )
    assert "by-user" in error["Message"]
    client.update_table(
        TableName=TABLE,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units(5, 5),
        GlobalSecondaryIndexUpdates=index_update(5, 5),
    )
    table = settle(client)
    assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert described_units(table) == (5, 5)


def test_four_decreases_a_day_then_one_an_hour(hcg):
    client = hcg.client("dynamodb")
    client.update_table(TableName=TABLE, ProvisionedThroughput=units(50, 50))
    settle(client)
    for n in (40, 30, 20, 10):
        client.update_table(TableName=TABLE, ProvisionedThroughput=units(n, n))
        settle(client)
    assert describe(client)["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4
    error = refused(client.update_table, TableName=TABLE, ProvisionedThroughput=units(9, 9))
    assert error["Code"] == "LimitExceededException"
    assert "Next decrease can be made at" in error["Message"]
    client.update_table(TableName=TABLE, ProvisionedThroughput=units(11, 11))
    settle(client)


def test_one_spent_budget_refuses_the_whole_call(hcg):
    client = hcg.client("dynamodb")
    client.update_table(
        TableName=TABLE,
        ProvisionedThroughput=units(50, 50),
        GlobalSecondaryIndexUpdates=index_update(50, 50),
    )
    settle(client)
    hcg.control("POST", "consume-decreases", {"table": TABLE, "count": 4, "last": "now"})
    error = refused(
        client.update_table,
        TableName=TABLE,
        ProvisionedThroughput=units(60, 60),
        GlobalSecondaryIndexUpdates=index_update(5, 5),
    )
    assert error["Code"] == "LimitExceededException"
    assert described_units(settle(client)) == (50, 50)


def test_a_decrease_is_allowed_an_hour_after_the_last(hcg):
    client = hcg.client("dynamodb")
    body = {"table": TABLE, "count": 4, "last": "2026-01-01T00:00:00Z"}
    hcg.control("POST", "consume-decreases", body)
    client.update_table(TableName=TABLE, ProvisionedThroughput=units(4, 4))
    assert described_units(settle(client)) == (4, 4)


def test_an_unknown_table_is_not_found(hcg):
    error = refused(hcg.client("dynamodb").describe_table, TableName="nobody")
    assert error["Code"] == "ResourceNotFoundException"


def test_a_table_made_by_a_caller_is_followed_too(process):
    process.reset("empty")
    client = process.client("dynamodb")
    client.create_table(
        TableName="mine",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert client.list_tables()["TableNames"] == ["mine"]
    client.update_table(TableName="mine", OnDemandThroughput={"MaxReadRequestUnits": 10})
    table = client.describe_table(TableName="mine")["Table"]
    assert table["OnDemandThroughput"] == {"MaxReadRequestUnits": 10}
    client.update_table(TableName="mine", OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert "OnDemandThroughput" not in client.describe_table(TableName="mine")["Table"]
