"""The job's JSON form and its schema."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
from jobs import SCHEMA, check_events

from edgekit_runtimes.protocol.job import Job, JobModel, Plan
from edgekit_runtimes.tensors import Preprocessing

JOB = Job(
    models=(JobModel("tflite/int8", "some.engine", "a.tflite", {"threads": 2}),),
    inputs={"image": "image.npy"},
    preprocessing=Preprocessing(scale=0.5, mean=(1.0,), resize=(8, 9)),
    plan=Plan(rounds=3),
    outputs=-1,
)


@pytest.mark.parametrize("job", [JOB, dataclasses.replace(JOB, plan=None, models=())])
def test_a_job_survives_json_and_fits_the_schema(job: Job) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(job.to_json()))
    assert Job.from_json(job.to_json()) == job


def test_a_job_of_another_version_is_refused() -> None:
    form = json.loads(JOB.to_json())
    form["schema"] = 99
    with pytest.raises(ValueError, match="job schema 99 is not 1"):
        Job.from_json(json.dumps(form))


def test_the_schema_is_valid_and_knows_each_kind_of_event() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    names = [entry["$ref"].split("/")[-1] for entry in SCHEMA["$defs"]["Event"]["anyOf"]]
    kinds = [SCHEMA["$defs"][name]["properties"]["event"]["const"] for name in names]
    known = "block done environment error execution first_run loaded loading outputs running"
    assert sorted(kinds) == known.split()


def test_the_schema_refuses_an_event_without_its_model() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check_events([{"event": "first_run", "ns": 1}])
