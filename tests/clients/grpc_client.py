"""A Python client with stubs made from proto/ drives the public gRPC services of catalogd: unary calls, the feed as a
stream that is resumed, health, reflection (v1 and v1alpha)."""
import contextlib
import os
import subprocess
import sys
import tempfile
import threading

import grpc

from cluster import ROOT, Cluster, wait_for
from runner import fixture, test

EXPECT = ('daemon.ended', 'catalog.lost', 'duty')  # one is killed
PROTOS = ['curia/v1/text', 'curia/v1/read', 'curia/v1/kv', 'curia/v1/feed', 'curia/v1/catalog', 'curia/v1/health',
          'grpc/health/v1/health',
          'grpc/reflection/v1/reflection', 'grpc/reflection/v1alpha/reflection']


class Stubs:
    """The modules that protoc makes, in a folder of their own."""

    def __init__(self, folder):
        files = [os.path.join(ROOT, 'proto', name + '.proto') for name in PROTOS]
        subprocess.run([sys.executable, '-m', 'grpc_tools.protoc', '-I', os.path.join(ROOT, 'proto'), '--python_out',
                        folder, '--grpc_python_out', folder, *files], check=True)
        # Our package `grpc` would hide the library: its modules are made parts of it.
        grpc.__path__.append(os.path.join(folder, 'grpc'))
        sys.path.insert(0, folder)

    def __getattr__(self, name):
        import importlib
        return importlib.import_module({
            'kv': 'curia.v1.kv_pb2', 'kv_grpc': 'curia.v1.kv_pb2_grpc', 'feed': 'curia.v1.feed_pb2',
            'feed_grpc': 'curia.v1.feed_pb2_grpc', 'catalog': 'curia.v1.catalog_pb2',
            'catalog_grpc': 'curia.v1.catalog_pb2_grpc', 'service_health_grpc': 'curia.v1.health_pb2_grpc', 'health': 'grpc.health.v1.health_pb2',
            'health_grpc': 'grpc.health.v1.health_pb2_grpc', 'reflection': 'grpc.reflection.v1.reflection_pb2',
            'reflection_grpc': 'grpc.reflection.v1.reflection_pb2_grpc',
            'alpha_grpc': 'grpc.reflection.v1alpha.reflection_pb2_grpc'}[name])


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


@fixture
def pb():
    with tempfile.TemporaryDirectory() as folder:
        yield Stubs(folder)


@contextlib.contextmanager
def channel_to(node):
    """A connection of its own: by default channels to one address share theirs, also one whose other end was killed."""
    with grpc.insecure_channel('%s:8504' % node.ip, [('grpc.use_local_subchannel_pool', 1)]) as c:
        grpc.channel_ready_future(c).result(timeout=20)
        yield c


@fixture
def channel(one):
    with channel_to(one) as c:
        yield c


def put(channel, pb, key, value):
    reply = pb.kv_grpc.KvStub(channel).Put(pb.kv.KvPutRequest(key=key, value=value), timeout=20)
    assert reply.applied


@test
def a_key_written_over_grpc_is_read_over_grpc_and_http(channel, one, pb):
    put(channel, pb, b'g/a', b'\x00\xff1')
    reply = pb.kv_grpc.KvStub(channel).Get(pb.kv.KvGetRequest(key=b'g/a'), timeout=20)
    assert reply.pair.value == b'\x00\xff1' and reply.pair.modify_index == reply.meta.index, reply
    assert one.get('/v1/kv/g/a?raw').body == b'\x00\xff1'


@test
def a_service_registered_over_grpc_is_healthy_over_grpc_and_http_until_it_is_taken_away(channel, one, pb):
    catalog = pb.catalog_grpc.CatalogStub(channel)
    health = pb.service_health_grpc.HealthStub(channel)
    feed = pb.feed_grpc.FeedStub(channel)

    def instances():
        request = pb.catalog.ServiceNodesRequest(service='web', passing=True)
        return [(e.node.node, e.service.id, e.service.port) for e in
                health.ServiceNodes(request, timeout=20).entries]

    def register(status):
        catalog.RegisterNode(pb.catalog.RegisterRequest(
            node=pb.catalog.Node(node='g1', address='10.3.0.1'),
            service=pb.catalog.Service(id='web1', service='web', port=80),
            checks=[pb.catalog.Check(check_id='c', name='c', service_id='web1', status=status)]), timeout=20)
    register('passing')
    assert instances() == [('g1', 'web1', 80)]
    assert [e['Service']['ID'] for e in one.get('/v1/health/service/web?passing').json()] == ['web1']
    register('critical')
    assert instances() == [] and len(one.get('/v1/health/service/web').json()) == 1
    changes = []
    for reply in feed.Follow(pb.feed.FeedFollowRequest(topics=['services', 'checks']), timeout=20):
        changes += [(c.topic, c.operation) for c in reply.changes if b'web1' in c.key or c.topic == 'checks']
        if ('checks', 'update') in changes:
            break
    assert ('services', 'create') in changes and ('checks', 'create') in changes, changes
    catalog.DeregisterNode(pb.catalog.DeregisterRequest(node='g1'), timeout=20)
    services = [s.name for s in catalog.ListServices(pb.catalog.ListServicesRequest(), timeout=20).services]
    assert 'web' not in services, services


@test
def errors_have_the_codes_of_grpc(channel, pb):
    stub = pb.kv_grpc.KvStub(channel)
    for call, code in ((lambda: stub.Put(pb.kv.KvPutRequest(value=b'x'), timeout=20), 'INVALID_ARGUMENT'),
                       (lambda: stub.Put(pb.kv.KvPutRequest(key=b'k', value=bytes(512 * 1024 + 1)), timeout=20),
                        'RESOURCE_EXHAUSTED'),
                       (lambda: channel.unary_unary('/curia.v1.Kv/Nope')(b'', timeout=20), 'UNIMPLEMENTED'),
                       (lambda: channel.unary_unary('/curia.internal.v1.Log/Status')(b'', timeout=20),
                        'UNIMPLEMENTED'),
                       (lambda: channel.unary_unary('/curia.v1.Kv/Get')(b'\xff\xff', timeout=20),
                        'INVALID_ARGUMENT')):
        try:
            call()
            raise AssertionError('no error')
        except grpc.RpcError as e:
            assert e.code().name == code, (e.code(), code, e.details())


class Follower:
    """Follows the feed in a thread and keeps the position; resumes from it at each `start`."""

    def __init__(self, pb):
        self.pb, self.after, self.keys, self.stream = pb, None, [], None

    def start(self, channel):
        request = self.pb.feed.FeedFollowRequest(topics=['kv'], after=self.after)
        self.stream = self.pb.feed_grpc.FeedStub(channel).Follow(request, wait_for_ready=True)
        self.thread = threading.Thread(target=self.run, args=(self.stream,), daemon=True)
        self.thread.start()

    def run(self, stream):
        try:
            for reply in stream:
                self.after = reply.upto
                self.keys += [c.key.split(b'\0')[-1].decode() for c in reply.changes]
        except grpc.RpcError as e:
            self.error = e

    def wait_keys(self, keys):
        wait_for(lambda: [k for k in self.keys if k in keys] == keys, 20, 'changes %s in %s' % (keys, self.keys))


@test
def the_feed_is_a_stream_that_resumes_after_a_crash_and_misses_nothing(one, pb):
    follower = Follower(pb)
    with channel_to(one) as channel:
        follower.start(channel)
        put(channel, pb, b'f/1', b'1')
        follower.wait_keys(['f/1'])
    old = one.daemon('catalogd').kill()
    wait_for(lambda: one.daemon('catalogd').restarted_since(old), 20)
    wait_for(lambda: one.put('/v1/kv/f/2', b'2').status == 200, 20)
    with channel_to(one) as channel:
        put(channel, pb, b'f/3', b'3')
        follower.start(channel)
        put(channel, pb, b'f/4', b'4')
        follower.wait_keys(['f/1', 'f/2', 'f/3', 'f/4'])


@test
def a_stream_that_the_client_cancels_ends_at_the_server(channel, one, pb):
    before = one.daemon('catalogd').metric('rpc.requests.gone')
    stream = pb.feed_grpc.FeedStub(channel).Follow(pb.feed.FeedFollowRequest(topics=['kv']))
    next(iter(stream))
    stream.cancel()
    wait_for(lambda: one.daemon('catalogd').metric('rpc.requests.gone') > before, 20)


@test
def health_is_serving_for_public_services_and_not_found_for_others(channel, pb):
    stub = pb.health_grpc.HealthStub(channel)
    serving = pb.health.HealthCheckResponse.SERVING
    for name in ('', 'curia.v1.Kv', 'curia.v1.Feed'):
        assert stub.Check(pb.health.HealthCheckRequest(service=name), timeout=20).status == serving
    try:
        stub.Check(pb.health.HealthCheckRequest(service='nope'), timeout=20)
        raise AssertionError('no error')
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.NOT_FOUND
    watch = stub.Watch(pb.health.HealthCheckRequest(service='nope'), timeout=20)
    assert next(watch).status == pb.health.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def reflect(stub, pb, *requests):
    return list(stub.ServerReflectionInfo(iter(requests), timeout=20))


@test
def reflection_lists_services_and_gives_files_by_name_and_symbol(channel, pb):
    from google.protobuf import descriptor_pb2
    r = pb.reflection.ServerReflectionRequest
    for stub in (pb.reflection_grpc.ServerReflectionStub(channel), pb.alpha_grpc.ServerReflectionStub(channel)):
        answers = reflect(stub, pb, r(list_services=''), r(file_containing_symbol='curia.v1.Kv.Get'),
                          r(file_containing_symbol='curia.v1.KvPair'), r(file_by_filename='curia/v1/feed.proto'),
                          r(file_containing_symbol='nope'), r(all_extension_numbers_of_type='x'))
        names = [s.name for s in answers[0].list_services_response.service]
        assert {'curia.v1.Kv', 'curia.v1.Feed', 'grpc.health.v1.Health'} <= set(names), names
        for answer, name in zip(answers[1:4], ('curia/v1/kv.proto', 'curia/v1/kv.proto', 'curia/v1/feed.proto')):
            file = descriptor_pb2.FileDescriptorProto.FromString(
                answer.file_descriptor_response.file_descriptor_proto[0])
            assert file.name == name, file.name
        assert answers[4].error_response.error_code == 5, answers[4]
        assert answers[5].error_response.error_code == 12, answers[5]
