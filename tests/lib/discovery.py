"""Registrations through the catalog, in few words."""
import json


def equal(answer, status, body=None):
    assert answer.status == status, answer
    if body is not None:
        assert answer.text == body, answer


def register(node, name, service=None, checks=(), address='10.9.9.9', status=200, **more):
    """PUT /v1/catalog/register; True is expected unless a status is given."""
    body = dict({'Node': name, 'Address': address}, **more)
    if service:
        body['Service'] = service
    if checks:
        body['Checks'] = list(checks)
    answer = node.put('/v1/catalog/register', json.dumps(body))
    equal(answer, status, 'true' if status == 200 else None)
    return answer


def deregister(node, name, status=200, **more):
    answer = node.put('/v1/catalog/deregister', json.dumps(dict({'Node': name}, **more)))
    equal(answer, status, 'true' if status == 200 else None)
    return answer


def instance(node, name, service, status='passing', port=80, id=None, **more):
    """A node with one instance of a service and one check of it."""
    id = id or service
    register(node, name, dict({'ID': id, 'Service': service, 'Port': port}, **more),
             [check(id, status)])


def check(service_id='', status='passing', id=None, **more):
    id = id or 'check:' + (service_id or 'node')
    return dict({'CheckID': id, 'Name': id, 'Status': status, 'ServiceID': service_id}, **more)
