# Go, where no other one is installed: the judge of linearizability and the etcd client of the bench.
golang-go
