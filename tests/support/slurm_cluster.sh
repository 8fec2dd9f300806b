# shellcheck shell=bash
# A SLURM cluster of two nodes on this machine, without systemd, for tests. Source this, then:
#
#   cluster_missing            prints why there can be none here; nothing if there can
#   cluster_start FOLDER       start munged, slurmctld and two slurmd; state, logs and keys in FOLDER. 0: nodes are idle
#   cluster_stop               end what was started, by process id
#
# Two virtual nodes of four CPUs each; jobs run as root. Only for machines without a SLURM of their own.
cluster_pids=''

cluster_missing() {
  local tool
  [ "$(id -u)" = 0 ] || { echo "not root, whom slurmd needs" && return; }
  for tool in munged slurmctld slurmd sbatch srun; do
    command -v "$tool" >/dev/null || { echo "no $tool here (Debian: slurm-wlm, munge)" && return; }
  done
  compgen -G '/usr/lib*/slurm*/mpi_pmix*.so' >/dev/null || compgen -G '/usr/lib/*/slurm*/mpi_pmix*.so' >/dev/null ||
    echo "this SLURM has no PMIx"
}

cluster_configure() { # FOLDER
  local d=$1 host port
  host=$(hostname -s)
  port=$((20000 + $$ % 20000)) # several clusters may run at once
  mkdir -p "$d"/{munge,state,log,spool/n1,spool/n2,tmp/n1,tmp/n2}
  chmod 700 "$d/munge"
  cat >"$d/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$d/munge/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=$port
StateSaveLocation=$d/state
SlurmdSpoolDir=$d/spool/%n
TmpFS=$d/tmp/%n
SlurmctldPidFile=$d/slurmctld.pid
SlurmdPidFile=$d/slurmd.%n.pid
SlurmctldLogFile=$d/log/slurmctld.log
SlurmdLogFile=$d/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
ReturnToService=2
KillWait=5
MinJobAge=600
SlurmdParameters=config_overrides
MailProg=/bin/true
JobRequeue=1
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=1-00:00:00 State=UP OverSubscribe=NO
END
  export SLURM_CONF=$d/slurm.conf
}

cluster_start() { # FOLDER
  local d=$1 tries=0
  cluster_configure "$d"
  dd if=/dev/urandom of="$d/munge/key" bs=1024 count=1 2>/dev/null
  chmod 400 "$d/munge/key"
  munged --foreground --force --key-file="$d/munge/key" --socket="$d/munge/munge.socket" --pid-file="$d/munge/pid" \
    --log-file="$d/munge/log" --seed-file="$d/munge/seed" >"$d/log/munged.out" 2>&1 &
  cluster_pids="$!"
  until [ -S "$d/munge/munge.socket" ] || [ $((tries += 1)) -gt 50 ]; do sleep 0.1; done
  slurmctld -D >"$d/log/slurmctld.out" 2>&1 &
  cluster_pids="$! $cluster_pids"
  slurmd -D -N n1 >"$d/log/slurmd.n1.out" 2>&1 &
  cluster_pids="$! $cluster_pids"
  slurmd -D -N n2 >"$d/log/slurmd.n2.out" 2>&1 &
  cluster_pids="$! $cluster_pids"
  tries=0
  until [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; do
    [ $((tries += 1)) -lt 150 ] || { tail -n 20 "$d"/log/* && return 1; }
    sleep 0.1
  done
}

cluster_stop() {
  local pid
  [ -n "$cluster_pids" ] || return 0
  scancel -u root 2>/dev/null
  sleep 0.5
  for pid in $cluster_pids; do kill "$pid" 2>/dev/null; done
  for pid in $cluster_pids; do wait "$pid" 2>/dev/null; done
  cluster_pids=''
}
