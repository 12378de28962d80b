// ferry: the operator's tool.

import ArgumentParser

@main
struct Ferry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry",
        abstract: "Runs virtual machines and moves them between hosts while they run.",
        discussion: """
            Five minutes with a cluster on this machine:
              ferry up cluster-configs/local-3.yaml
              ferry vm create web --memory 1GiB --vcpus 2 --on host-a
              ferry migrate web --to host-b
              ferry vm list
              ferry down

            THE CLUSTER is described by a file. It is the one given by --cluster, else by $FERRY_CLUSTER, else the \
            one that `ferry up` was last run with in this folder (.ferry/current.json). KEYS are those of the \
            folder given by --keys, else by $FERRY_KEYS, else keys-folder/operator-admin of the cluster file. \
            With $FERRY_TOKEN the controllers are asked with that token, and no agent.

            EXIT CODES
               0  done
               1  failed for another reason than those below
               3  there is no such VM, host, migration or operation
               4  refused: not possible now, not allowed, or not a thing that can be
               5  a host cannot be reached, or is not who it should be
               6  the migration did not happen; the VM runs on where it was
               7  the migration or operation was cancelled; the VM runs on where it was
               8  the migration failed and the VM does not run, or it is not known where it runs
               9  `ferry agent check` found something to look at
              10  done as far as it could be; something is left, and named
              64  the command line is wrong
            """,
        version: "0.1.0",
        subcommands: [
            Up.self, Down.self, Status.self, Top.self, PKI.self, VMCommand.self, Migrate.self,
            MigrationCommand.self, HostCommand.self, Drain.self, Activate.self, Fence.self,
            Place.self, Balance.self, Maintenance.self, OperationCommand.self, GroupCommand.self,
            TokenCommand.self, Events.self, Record.self, Simulate.self, AgentCommand.self,
            CompleteCommand.self,
        ])
}
