// Rows whose command cannot say, on every kernel, what the call says: compared with what happens.
import { expect } from 'vitest'
import type { Scene } from './scene.js'

export const special: Readonly<Record<string, (scene: Scene, call: string) => Promise<void>>> = {
  'ethtool -k br0': async (scene, call) => {
    for (const link of ['br0', 'lo', 'veth1']) {
      const ours = await scene.call(call.replace('br0', link))
      const said = /^netns-local: (on|off)/m.exec(await scene.run(`ethtool -k ${link}`))?.[1]
      // Where the kernel does not tell, one must try: there and back.
      const moved = await scene.run(`ip link set ${link} netns blue && ip -n blue link set ${link} netns box && echo moved || true`)
      expect(ours).toBe(said === undefined ? !moved.includes('moved') : said === 'on')
    }
  },
}
