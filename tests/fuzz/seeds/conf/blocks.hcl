data_dir = "/x"
ports { http = 1 } ports { dns = 2 }
