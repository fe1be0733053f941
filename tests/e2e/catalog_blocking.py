"""http-api.md 3.3, 3.4; 5.6 items 147, 153, 154: who is woken by what, on three servers."""
import time

from cluster import Cluster
from discovery import check, deregister, instance, register
from runner import fixture, test
from waiting import Wait


@fixture
def three():
    with Cluster(3) as c:
        yield c


def wait_on(node, path, seconds=20):
    """A blocking read from what is there now."""
    index = node.get('/v1/' + path).index
    sep = '&' if '?' in path else '?'
    return Wait(node, '/v1/%s%sindex=%d&wait=%ds' % (path, sep, index, seconds)), index


def stays_asleep(*waits, seconds=0.5):
    time.sleep(seconds)
    for w in waits:
        assert w.hangs, (w.path, w.answer)


@test
def http_153_a_check_wakes_who_waits_for_its_service_and_no_other(three):
    instance(three[1], 'b1', 's153')
    instance(three[1], 'b1', 'other153', id='o')
    mine = [wait_on(node, 'health/service/s153?passing') for node in three]
    other, _ = wait_on(three[1], 'health/service/other153')
    register(three[2], 'b1', checks=[check('s153', 'critical')])
    at = time.monotonic()
    for w, index in mine:
        a = w.result()
        assert a.json() == [] and a.index > index, a
        assert w.at - at < 5, w.at - at
    stays_asleep(other)


@test
def http_154_a_check_of_a_node_wakes_who_waits_for_any_service_of_it(three):
    instance(three[1], 'b2', 's154a', id='a')
    instance(three[1], 'b2', 's154b', id='b')
    instance(three[1], 'b3', 's154c', id='c')
    a, _ = wait_on(three[1], 'health/service/s154a')
    b, _ = wait_on(three[2], 'health/service/s154b')
    c, _ = wait_on(three[3], 'health/service/s154c')
    register(three[1], 'b2', checks=[check(id='disk', status='warning')])
    assert a.result().index == b.result().index
    stays_asleep(c)


@test
def http_147_the_last_instance_that_goes_is_told(three):
    instance(three[1], 'b4', 's147')
    w, index = wait_on(three[1], 'health/service/s147')
    deregister(three[1], 'b4', ServiceID='s147')
    a = w.result()
    assert a.json() == [] and a.index > index, a
    later = three[1].get('/v1/health/service/s147')
    assert later.index >= a.index  # it never goes back


@test
def a_missing_service_is_waited_for_and_another_wakes_nobody(three):
    w, _ = wait_on(three[2], 'health/service/s-to-come')
    instance(three[1], 'b5', 's-another')
    stays_asleep(w)
    instance(three[1], 'b5', 's-to-come', id='t')
    assert w.result().json()[0]['Service']['Service'] == 's-to-come'


@test
def nodes_are_not_woken_by_services(three):
    instance(three[1], 'b6', 's6')
    nodes, _ = wait_on(three[1], 'catalog/nodes')
    services, _ = wait_on(three[1], 'catalog/services')
    instance(three[1], 'b6', 's6b', id='x')
    assert 's6b' in services.result().json()
    stays_asleep(nodes)
    register(three[1], 'b6', address='10.9.9.8')
    assert nodes.result().status == 200


@test
def one_node_is_woken_by_its_own_services_alone(three):
    instance(three[1], 'b7', 's7')
    instance(three[1], 'b8', 's8')
    w, _ = wait_on(three[1], 'catalog/node/b7')
    deregister(three[1], 'b8', ServiceID='s8')
    stays_asleep(w)
    deregister(three[1], 'b7', ServiceID='s7')
    assert w.result().json()['Services'] == {}


@test
def an_instance_seen_by_one_server_is_in_a_default_read_of_every_other(three):
    for i in range(20):
        instance(three[1 + i % 3], 'rw%d' % i, 'srw')
        for node in three:
            assert len(node.get('/v1/health/service/srw').json()) == i + 1


@test
def issue_a_wait_on_a_service_is_not_woken_by_registrations_of_others(three):
    instance(three[1], 'b9', 's9')
    w, _ = wait_on(three[1], 'health/service/s9', seconds=60)
    before = three[1].daemon('catalogd').metric('catalog.woken')
    for i in range(300):
        register(three[1], 'many%d' % i, {'Service': 'many%d' % (i % 7)})
    assert w.hangs
    assert three[1].daemon('catalogd').metric('catalog.woken') == before
