"""The deployment of docker-compose.yml, rehearsed on this machine: ``make rehearse``."""
