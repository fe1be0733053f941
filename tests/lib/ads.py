"""A proxy that is no Envoy: streams of aggregated discovery, with stubs made from proto/envoy."""
import glob
import importlib
import os
import queue
import subprocess
import sys
import threading

import google
import grpc
from google.protobuf import json_format

from cluster import ROOT, wait_for

SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService/'
URL = 'type.googleapis.com/envoy.'
TYPES = {'secret': URL + 'extensions.transport_sockets.tls.v3.Secret', 'cluster': URL + 'config.cluster.v3.Cluster',
         'endpoint': URL + 'config.endpoint.v3.ClusterLoadAssignment', 'listener': URL + 'config.listener.v3.Listener',
         'route': URL + 'config.route.v3.RouteConfiguration'}


class Stubs:
    """The modules that protoc makes, in a folder of their own."""

    def __init__(self, folder):
        proto = os.path.join(ROOT, 'proto')
        names = [os.path.relpath(f, proto) for f in glob.glob(proto + '/envoy/**/*.proto', recursive=True)]
        names.append('google/rpc/status.proto')
        subprocess.run([sys.executable, '-m', 'grpc_tools.protoc', '-I', proto, '--python_out', folder, *names],
                       check=True)
        sys.path.insert(0, folder)
        google.__path__.append(os.path.join(folder, 'google'))
        for name in names:  # all, so that what an Any holds is known
            importlib.import_module(name[:-len('.proto')].replace('/', '.') + '_pb2')
        self.discovery = importlib.import_module('envoy.service.discovery.v3.discovery_pb2')
        self.core = importlib.import_module('envoy.config.core.v3.core_pb2')


def metadata(**texts):
    """A google.protobuf.Struct of texts, as bytes: that is what our proto has it as."""
    from google.protobuf.struct_pb2 import Struct
    struct = Struct()
    struct.update(texts)
    return struct.SerializeToString()


def decoded(resource):
    """An Any, as JSON has what is in it."""
    value = json_format.MessageToDict(resource, preserving_proto_field_name=True)
    del value['@type']
    return value


class Stream:
    """One stream. What comes is kept in `got` as it comes; `error` is how it ended."""

    def __init__(self, pb, ip, node_id='web', node_name='edge', delta=True, node=None, port=8502, method=None, token=None):
        self.pb, self.delta = pb, delta
        self.node = pb.core.Node(id=node_id, metadata=metadata(node_name=node_name)) if node is None else node
        self.channel = grpc.insecure_channel('%s:%d' % (ip, port), [('grpc.use_local_subchannel_pool', 1)])
        self.requests, self.got, self.error = queue.Queue(), queue.Queue(), None
        kind = pb.discovery.DeltaDiscoveryResponse if delta else pb.discovery.DiscoveryResponse
        call = self.channel.stream_stream(
            SERVICE + (method or ('DeltaAggregatedResources' if delta else 'StreamAggregatedResources')),
            request_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString(),
            response_deserializer=kind.FromString)
        self.call = call(iter(self.requests.get, None), metadata=[('x-consul-token', t) for t in [token] if t is not None])
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reads = threading.Event()
        self.reads.set()
        self.reader.start()

    def read(self):
        try:
            while self.reads.wait():
                self.got.put(next(self.call))
        except StopIteration:
            self.error = (grpc.StatusCode.OK, '')
        except grpc.RpcError as e:
            self.error = (e.code(), e.details())

    def ask(self, kind, names=(), nonce='', error=None, unsubscribe=(), **more):
        d = self.pb.discovery
        if self.delta:
            message = d.DeltaDiscoveryRequest(type_url=TYPES.get(kind, kind), resource_names_subscribe=names,
                                              resource_names_unsubscribe=unsubscribe, response_nonce=nonce, **more)
        else:
            message = d.DiscoveryRequest(type_url=TYPES.get(kind, kind), resource_names=names, response_nonce=nonce,
                                         **more)
        if error:
            message.error_detail.code, message.error_detail.message = 13, error
        if self.node is not None:
            message.node.CopyFrom(self.node)
        self.requests.put(message)

    def next(self, seconds=60):
        return self.got.get(timeout=seconds)

    def ack(self, response, error=None, names=()):
        self.ask(response.type_url, names, response.nonce, error)

    def resources(self, kind, names=()):
        """Asks, acknowledges: name -> the resource as JSON has it."""
        self.ask(kind, names)
        response = self.next()
        assert response.type_url == TYPES[kind], response.type_url
        self.ack(response, names=() if self.delta else names)
        found = {}
        for one in response.resources:
            value = decoded(one.resource if self.delta else one)
            found[value.get('name') or value['cluster_name']] = value
        return found

    def ended(self, seconds=20):
        return wait_for(lambda: self.error, seconds, 'the end of the stream')

    def close(self):
        self.reads.set()
        self.requests.put(None)
        self.channel.close()
        self.reader.join(20)
