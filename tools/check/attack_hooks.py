"""Lets most generated requests name the existing index: others are rejected at once."""
import random

import schemathesis

INDEX = "passages"
DICE = random.Random(1)


@schemathesis.hook
def map_path_parameters(context, parameters):
    if isinstance(parameters, dict) and isinstance(parameters.get("name"), str) and DICE.random() < 0.8:
        parameters["name"] = INDEX
    return parameters


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and isinstance(body.get("index"), str) and DICE.random() < 0.8:
        body["index"] = INDEX
    return body
