"""The agent's own services and checks, in few words."""
import json


def equal(answer, status, body=None):
    assert answer.status == status, answer
    if body is not None:
        assert answer.text == body, answer


def put(node, path, body=None, status=200, text=None):
    answer = node.put('/v1/agent/' + path, json.dumps(body) if body is not None else b'')
    equal(answer, status, text)
    return answer


def register(node, name, status=200, query='', **more):
    return put(node, 'service/register' + query, dict({'Name': name}, **more), status)


def register_check(node, name, status=200, **more):
    return put(node, 'check/register', dict({'Name': name}, **more), status)


def services(node):
    return node.get('/v1/agent/services').json()


def checks(node):
    return node.get('/v1/agent/checks').json()


def catalog_services(node, name):
    """Of node `name`, by id; None: the catalog does not know the node."""
    found = node.get('/v1/catalog/node/' + name).json()
    return found and found['Services']


def catalog_checks(node, name):
    return {c['CheckID']: c for c in node.get('/v1/health/node/' + name).json()}


def status_of(node, name, check):
    return catalog_checks(node, name).get(check, {}).get('Status')
