"""Nodes that know each other by gossip alone: servers, then client nodes without raftd and catalogd."""
from cluster import Cluster


class Joined(Cluster):
    def __init__(self, servers, clients=0, **more):
        self.servers = servers
        super().__init__(servers + clients, **more)

    def base_config(self, k):
        config = super().base_config(k)
        del config['raftd']
        config.pop('bootstrap', None)
        config.pop('bootstrap_expect', None)
        config.update(retry_join=[self.net.ip(1)], retry_interval='1s')
        if k > self.servers:
            config['server'] = False
        else:
            config['bootstrap_expect'] = self.servers
        return config
