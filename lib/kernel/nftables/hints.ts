// What to do about the refusals of nftables.

/** Where a thing is made. */
export const makingHints = (what: string) => ({
  EEXIST: `there is such a ${what} already`,
  ENOENT: 'the table, or something that is named in it, is not there: it has to be made first, in the same transaction or before',
  EOPNOTSUPP: 'this kernel lacks the feature, or it cannot be had in this family or hook',
  ENFILE: 'there are as many as the kernel allows',
  EMSGSIZE: 'too much for one message: see net.core.wmem_max',
  EPERM:
    'this needs CAP_NET_ADMIN in the user namespace that owns the network namespace; a table with an owner can be changed by its owner only',
})
/** Where a thing is changed or deleted. */
export const changingHints = (what: string) => ({
  ENOENT: `there is no such ${what}`,
  EBUSY: `the ${what} is in use: by rules that jump to it or name it, or by elements of a map`,
  EPERM:
    'this needs CAP_NET_ADMIN in the user namespace that owns the network namespace; a table with an owner can be changed by its owner only',
})
