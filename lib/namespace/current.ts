// The namespace of the calling thread.
import { native } from '../socket/native.js'
import { namespaceInfo, type OpenNamespace } from './info.js'

/** Holds the namespace that the calling thread is in, which is that of the process unless the thread moved. */
export function openCurrent(): OpenNamespace {
  const handle = native().currentNamespace()
  return { handle, info: namespaceInfo({ device: handle.device, inode: handle.inode }) }
}
