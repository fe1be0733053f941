# HCL
data_dir = "/x"
server = true
bootstrap_expect = 3
ports { http = 8500, dns = -1 }
recursors = ["1.1.1.1",]
node_meta { a = "b" }
service { name = "web" check { ttl = "1s" } proxy { config { a { b = 1 } } } }
checks { id = "c" }
