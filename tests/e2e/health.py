"""http-api.md 5.6 items 148 to 151, on one server."""
from cluster import Cluster
from discovery import check, deregister, equal, instance, register
from runner import fixture, test


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def entries(node, query):
    a = node.get('/v1/health/service/' + query)
    equal(a, 200)
    return a.json()


@test
def http_148_an_entry_has_the_checks_of_node_and_service(one):
    register(one, 'h1', {'Service': 's148', 'Tags': ['t']},
             [check('s148', id='z'), check('s148', id='a'), check(id='n2'), check(id='n1')])
    register(one, 'h1', {'ID': 'other', 'Service': 'other148'}, [check('other', id='o')])
    found = entries(one, 's148')
    assert [c['CheckID'] for c in found[0]['Checks']] == ['n1', 'n2', 'a', 'z'], found
    assert found[0]['Checks'][0]['ServiceTags'] == [] and found[0]['Checks'][2]['ServiceTags'] == ['t']
    assert found[0]['Checks'][2]['ServiceName'] == 's148'


@test
def entries_are_ordered_by_node_then_service_id(one):
    for node, id in (('o2', 'a'), ('o1', 'b'), ('o1', 'a')):
        instance(one, node, 'ordered', id=id)
    assert [(e['Node']['Node'], e['Service']['ID']) for e in entries(one, 'ordered')] == \
        [('o1', 'a'), ('o1', 'b'), ('o2', 'a')]


@test
def http_149_passing_keeps_what_passes_all_checks(one):
    instance(one, 'p1', 's149')
    instance(one, 'p2', 's149', status='warning')
    instance(one, 'p3', 's149', status='critical')

    def nodes(query):
        return [e['Node']['Node'] for e in entries(one, 's149?' + query)]
    assert nodes('passing') == ['p1'] and nodes('passing=1') == ['p1']
    assert nodes('passing=false') == ['p1', 'p2', 'p3'] == nodes('')
    a = one.get('/v1/health/service/s149?passing=zz')
    equal(a, 400, 'Invalid value for ?passing')
    assert a.index > 1, a
    register(one, 'p1', checks=[check(id='node', status='critical')])  # of the node
    assert nodes('passing') == []


@test
def http_150_states(one):
    register(one, 'st', checks=[check(id='w', status='warning'), check(id='c', status='critical'), check(id='p')])

    def ids(state):
        a = one.get('/v1/health/state/' + state)
        equal(a, 200)
        return [c['CheckID'] for c in a.json() if c['Node'] == 'st']
    assert ids('any') == ['c', 'p', 'w'] and ids('warning') == ['w'] and ids('critical') == ['c']
    equal(one.get('/v1/health/state/bogus'), 200, '[]')
    equal(one.get('/v1/health/state/'), 400, 'Missing check state')


@test
def http_151_checks_of_a_service_are_its_own(one):
    register(one, 'hc', {'Service': 's151'}, [check('s151', id='mine'), check(id='node')])
    assert [c['CheckID'] for c in one.get('/v1/health/checks/s151').json()] == ['mine']
    equal(one.get('/v1/health/checks/'), 400, 'Missing service name')
    equal(one.get('/v1/health/checks/nosuch'), 200, '[]')


@test
def checks_of_a_node(one):
    register(one, 'hn', {'Service': 'shn'}, [check('shn', id='b'), check(id='a')])
    assert [c['CheckID'] for c in one.get('/v1/health/node/HN').json()] == ['a', 'b']
    equal(one.get('/v1/health/node/nosuch'), 200, '[]')
    equal(one.get('/v1/health/node/'), 400, 'Missing node name')
    deregister(one, 'hn')
    equal(one.get('/v1/health/node/hn'), 200, '[]')


@test
def a_status_that_is_not_given_is_critical(one):
    register(one, 'crit', checks=[{'Name': 'c'}])
    found = one.get('/v1/health/node/crit').json()[0]
    assert found['Status'] == 'critical' and found['CheckID'] == 'c', found
