// What a Docker daemon says of its networks: plain GET requests on its socket, so that nothing of it can change.
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { NetloomError } from '../socket/error.js'
import type { NetworkInspect } from './inspect.js'

/** The networks with what is connected to them, as `docker network inspect` has them. */
export async function dockerNetworks(socketPath: string): Promise<NetworkInspect[]> {
  // The list leaves the containers out.
  const listed = (await get(socketPath, '/networks')) as readonly { readonly Id: string }[]
  const found = await Promise.all(listed.map(({ Id }) => get(socketPath, `/networks/${encodeURIComponent(Id)}`)))
  return found.filter(one => one !== undefined) as NetworkInspect[]
}

/** Undefined: not there, or not any more. */
function get(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (code: string, reason: string) =>
      reject(
        new NetloomError(code, {
          ...{ operation: 'ask Docker', subject: socketPath, reason },
          hint: 'dockerSocket names the socket of the daemon, /var/run/docker.sock if nothing else is said',
        }),
      )
    const asked = request({ socketPath, path, method: 'GET', headers: { host: 'docker' }, agent: false }, response => {
      text(response)
        .then(body => {
          if (response.statusCode === 404) return resolve(undefined)
          if (response.statusCode !== 200) return fail('EPROTO', `${path}: ${response.statusCode} ${body.trim()}`)
          resolve(JSON.parse(body))
        })
        .catch((error: unknown) => fail('EPROTO', `${path}: ${error}`))
    })
    asked.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'EIO', error.message))
    asked.end()
  })
}
