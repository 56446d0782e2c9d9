// What explain() tells: the steps of a packet's way, what drops it, and how each cause can be cured.
import type { NamespaceInfo } from '../namespace/info.js'

/** 'dropped': at least one cause is certain. 'unknown': some step could not be judged, and nothing certainly drops. */
export type Outcome = 'passes' | 'dropped' | 'unknown'
/** 'there' is the way of the packet, 'back' that of its answer. */
export type Way = 'there' | 'back'

export type StepKind =
  | 'address'
  | 'route'
  | 'forwarding'
  | 'reverse-path'
  | 'mtu'
  | 'neighbour'
  | 'link'
  | 'cable'
  | 'port'
  | 'bridge'
  | 'fdb'
  | 'firewall'
  | 'bridge-firewall'
  | 'translation'
  | 'delivery'

/** One step of the way, in the order in which a packet meets them. */
export interface ExplainStep {
  readonly way: Way
  readonly kind: StepKind
  /** What the namespace is called: its name, 'this namespace', or its identity. */
  readonly namespace: string
  readonly link?: string
  readonly text: string
  readonly outcome: Outcome
  /** What was read there, by kind of step: `StepFacts`. */
  readonly facts?: StepFacts
}

/** What a step rests on, as it was when it was read. */
export interface StepFacts {
  /** The entry of the table that fits: '10.0.1.0/24', 'default'. */
  readonly route?: string
  /** The next router. */
  readonly via?: string
  /** The address that is asked for on the link, or sent from. */
  readonly address?: string
  readonly mac?: string
  /** Of a neighbour, a port, or an entry of a MAC table; absent where there is none yet. */
  readonly state?: string
  /** The port of a bridge: by which a frame comes in, or to which its table leads. */
  readonly port?: string
  /** The other end of a cable. */
  readonly peer?: { readonly namespace: string; readonly link: string; readonly index: number }
}

export type CauseKind =
  /** A namespace has no address of the family on any link. */
  | 'no-address'
  | 'no-route'
  /** Both ends are on one segment, and the sender has no route to the other's subnet. */
  | 'different-subnets'
  | 'blackhole-route'
  | 'unreachable-route'
  | 'prohibit-route'
  /** The kernel refuses a packet for a reason that cannot be read from outside. */
  | 'refused'
  | 'forwarding-off'
  | 'reverse-path'
  | 'mtu'
  /** Nobody on the segment has the address. */
  | 'unresolved'
  /** Somebody has the address, on another segment. */
  | 'not-connected'
  /** The neighbour table has another MAC than the owner of the address. */
  | 'wrong-neighbour'
  /** One of the two links does without ARP. */
  | 'no-arp'
  | 'link-down'
  | 'no-carrier'
  | 'bridge-down'
  /** A bridge port that the spanning tree, or somebody, keeps from forwarding. */
  | 'port-state'
  | 'isolated-ports'
  /** A port that lets in only those who have an entry. */
  | 'port-locked'
  /** Frames to unknown addresses, or broadcasts, are kept from a port. */
  | 'port-flooding'
  /** The MAC table leads to another port. */
  | 'wrong-fdb'
  /** A chain's policy, or a rule, that a routed, sent or received packet meets. */
  | 'firewall'
  /** The same for a packet that is only bridged, and meets it because the bridge calls the firewall. */
  | 'bridge-netfilter'
  /** IPv6: without a link-local address a router asks for no neighbour. */
  | 'no-link-local'
  /** Somebody else has an address of the packet too, and takes it, or refuses it therefore. */
  | 'duplicate-address'
  /** The destination does not answer echo requests. */
  | 'echo-ignored'
  /** The packet goes round in circles. */
  | 'loop'

/** A call that cures, on the namespace that is named. */
export interface CureCall {
  readonly namespace: string
  /** "sysctl.set('net.ipv4.ip_forward', 1)" */
  readonly call: string
}
export interface Cure {
  readonly text: string
  /** What apply() calls. Absent: there is no verb for it. */
  readonly calls?: readonly CureCall[]
  /** Makes the calls. Errors: those of the verbs; ESTALE the namespace is gone. */
  apply?(): Promise<void>
}

/** Something that drops the packet, or its answer. */
export interface Cause {
  readonly kind: CauseKind
  readonly way: Way
  readonly where: { readonly namespace: NamespaceInfo; readonly name: string; readonly link?: string }
  readonly text: string
  /** Each one cures; the first one changes least. */
  readonly cures: readonly Cure[]
  /** Packets meet it only once the causes before it are cured. */
  readonly behind: boolean
  /** The rule or the policy, if it is one. */
  readonly by?: FirewallPlace
}
/** A rule, or the policy of a chain. */
export interface FirewallPlace {
  readonly backend: 'legacy' | 'nft'
  readonly family: string
  readonly table: string
  readonly chain: string
  /** The rule's number in its chain (legacy) or its handle (nft); absent: the policy. */
  readonly rule?: number
  readonly text: string
}

/** What becomes of a packet, and why. JSON keeps all of it but the functions; String() tells it to a person. */
export interface Explanation {
  readonly verdict: Outcome
  /** 'icmp from blue (10.0.1.1) to green (10.0.1.2)' */
  readonly subject: string
  readonly steps: readonly ExplainStep[]
  /** In the order in which the packet, and then its answer, meets them. */
  readonly causes: readonly Cause[]
}
