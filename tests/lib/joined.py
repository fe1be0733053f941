"""Servers, and clients, that know each other by gossip alone, through the first of them."""
from cluster import Cluster


class Joined(Cluster):
    def base_config(self, k):
        config = super().base_config(k)
        config.pop('raftd', None)
        config.update(retry_join=[self.net.ip(1)], retry_interval='1s')
        return config
